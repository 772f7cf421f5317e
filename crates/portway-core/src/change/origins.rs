//! What each owner of resources has said last, and what that makes together.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use portway_config::{
    Catalog, Checked, Config, Known, Loaded, Origin, Places, Problem, Resources, merge,
};

/// What one owner says.
#[derive(Clone, Debug)]
pub enum Part {
    /// A document, or several.
    Loaded(Arc<Loaded>),
    /// Resources that each stand by themselves.
    Stored(Arc<Resources>),
}

impl Part {
    /// As a document has it.
    #[must_use]
    pub fn loaded(&self, catalog: &Catalog) -> Cow<'_, Loaded> {
        match self {
            Self::Loaded(loaded) => Cow::Borrowed(loaded),
            Self::Stored(resources) => Cow::Owned(resources.loaded(catalog)),
        }
    }
}

/// What became of the last thing an owner said.
#[derive(Clone, Debug)]
pub struct OriginStatus {
    /// Whose it was.
    pub origin: Origin,
    /// Which of its states.
    pub number: u64,
    /// What is wrong with it. Empty when it is served.
    pub problems: Vec<Problem>,
}

/// The parts that are served.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    catalog: Catalog,
    parts: Vec<(Origin, Part)>,
    /// What the last check has found out, of whatever it was.
    known: Arc<Mutex<Known>>,
}

impl Origins {
    /// Nobody has said anything.
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { catalog, parts: Vec::new(), known: Arc::default() }
    }

    /// Takes note of what `origin` says from now on.
    pub(crate) fn set(&mut self, origin: &Origin, part: Part) {
        match self.parts.iter_mut().find(|(owner, _)| owner == origin) {
            Some((_, known)) => *known = part,
            None => self.parts.push((origin.clone(), part)),
        }
    }

    pub(crate) fn parts(&self) -> &[(Origin, Part)] {
        &self.parts
    }

    /// What all of them say together, checked.
    ///
    /// # Errors
    /// Everything that is wrong with it, in its place.
    pub(crate) fn checked(&self) -> Result<(Places, Checked<Config>), Vec<Problem>> {
        let parts: Vec<_> = self.parts.iter().map(|(_, part)| part.loaded(&self.catalog)).collect();
        let parts: Vec<&Loaded> = parts.iter().map(|part| &**part).collect();
        let whole = merge(&parts)?;
        // What refers to a secret has taken it in; nobody may take it away under it.
        let (places, missing) = (whole.places.clone(), whole.missing_secrets());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match whole.check_knowing(&known) {
            Ok(config) if missing.is_empty() => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.clone_from(config.known());
                drop(known);
                Ok((places, config))
            }
            Ok(_) => Err(missing),
            Err(problems) => Err([missing, problems].concat()),
        }
    }
}
