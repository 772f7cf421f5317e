//! Which configuration file is meant.

use std::{env, ffi::OsString, path::PathBuf};

use crate::{
    args::File,
    terminal::{self, UsageError},
};

/// The variables that may name the file, in the order in which they are asked.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) portway: Option<OsString>,
    pub(crate) restgate: Option<OsString>,
    /// RESTGate read only this misspelt name for a long time, so it stands in many manifests.
    pub(crate) misspelt: Option<OsString>,
}

const PORTWAY: &str = "PORTWAY_CONFIG";
const RESTGATE: &str = "RESTGATE_CONFIG_PATH";
const MISSPELT: &str = "RESTATE_CONFIG_PATH";

/// What the environment of the process says. A variable that is empty is not set.
pub(crate) fn environment() -> Environment {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
    Environment {
        portway: variable(PORTWAY),
        restgate: variable(RESTGATE),
        misspelt: variable(MISSPELT),
    }
}

impl Environment {
    /// Whether a file is named.
    pub(crate) fn names_file(&self) -> bool {
        self.portway.is_some() || self.restgate.is_some() || self.misspelt.is_some()
    }

    fn file(&self) -> Option<PathBuf> {
        if let Some(file) = self.portway.as_ref().or(self.restgate.as_ref()) {
            return Some(file.into());
        }
        let file = self.misspelt.as_ref()?;
        terminal::warn(&format!("{MISSPELT} is a misspelling of {RESTGATE}: set {PORTWAY}"));
        Some(file.into())
    }
}

/// The file of a command that takes one.
pub(crate) fn file(named: &File) -> anyhow::Result<PathBuf> {
    let on_command_line = named.file.as_ref().or(named.config.as_ref()).cloned();
    on_command_line.or_else(|| environment().file()).ok_or_else(no_file)
}

/// The files of a command that takes several.
pub(crate) fn files(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    environment().file().map(|file| vec![file]).ok_or_else(no_file)
}

fn no_file() -> anyhow::Error {
    let message = format!("no configuration file: name one, or set {PORTWAY}");
    UsageError(message).into()
}
