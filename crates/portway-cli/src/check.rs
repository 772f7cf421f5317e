//! `portway check`.

use std::{path::PathBuf, process::ExitCode};

use portway::{
    config::{Checked, Config, Kind, Origin, Places, Problem, Texts},
    source,
};
use serde_json::{Value, json};

use crate::{
    args::{Check, Report},
    catalog::catalog,
    locate,
    terminal::{self, PROBLEMS, plural, print},
};

pub(crate) fn check(args: &Check) -> anyhow::Result<ExitCode> {
    let files = locate::files(&args.files)?;
    let files = if args.together {
        vec![Inspected::new(files)]
    } else {
        files.into_iter().map(|file| Inspected::new(vec![file])).collect::<Vec<_>>()
    };
    match args.output {
        Report::Human => files.iter().try_for_each(Inspected::tell)?,
        Report::Json => {
            let files = files.iter().map(Inspected::json).collect::<Vec<_>>();
            print(&format!("{:#}\n", json!({ "files": files })))?;
        }
    }
    let all_right = files.iter().all(|file| file.config.is_ok());
    Ok(if all_right { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

/// Files and directories that are looked at together, and what was found in them.
#[derive(Debug)]
pub(crate) struct Inspected {
    paths: Vec<PathBuf>,
    pub(crate) config: Result<Checked<Config>, Vec<Problem>>,
    places: Places,
    warnings: Vec<Problem>,
    texts: Texts,
}

impl Inspected {
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        let source::Reading { texts, content, .. } = source::read_all(&paths, &catalog());
        let (mut places, mut warnings) = (Places::default(), Vec::new());
        let config = content.and_then(|loaded| {
            places = loaded.places.clone();
            let config = loaded.check()?;
            let located = |mut problem: Problem| {
                places.locate(&mut problem);
                problem
            };
            let verified = portway::verify(&config)
                .map_err(|problems| problems.into_iter().map(located).collect::<Vec<_>>())?;
            warnings.extend_from_slice(config.warnings());
            warnings.extend(verified.into_iter().map(located));
            Ok(config)
        });
        Self { paths, config, places, warnings, texts }
    }

    /// Says what is wrong with it. `false` when nothing is.
    pub(crate) fn tell_problems(&self) -> bool {
        if let Err(problems) = &self.config {
            terminal::problems(&locate::joined(&self.paths), problems, &self.texts);
        }
        self.config.is_err()
    }

    fn tell(&self) -> anyhow::Result<()> {
        if self.tell_problems() {
            return Ok(());
        }
        if let Ok(config) = &self.config {
            terminal::warnings(&self.warnings, &self.texts);
            let services = plural(config.services.len(), "service");
            let routes = plural(config.routes.len(), "route");
            print(&format!("{}: ok, {services}, {routes}\n", locate::joined(&self.paths)))?;
        }
        Ok(())
    }

    /// Whose the resource at this place of the checked configuration is.
    pub(crate) fn owner(&self, config: &Checked<Config>, kind: Kind, at: usize) -> Origin {
        let path = format!("{}[{at}]", kind.plural());
        self.places.owner(&config.declared_path(&path))
    }

    /// Each resource that would be served, and whose it is.
    fn resources(&self, config: &Checked<Config>) -> Vec<Value> {
        let declared = config.resources().filter(|(one, at)| config.is_declared(one.kind, *at));
        let resources = declared.map(|(one, at)| {
            json!({
                "kind": one.kind.singular(),
                "namespace": one.meta.namespace,
                "name": one.meta.name,
                "owner": self.owner(config, one.kind, at).as_str(),
            })
        });
        resources.collect()
    }

    fn json(&self) -> Value {
        let problems = self.config.as_ref().err().map_or(&[][..], |problems| problems);
        json!({
            "file": locate::joined(&self.paths),
            "valid": self.config.is_ok(),
            "problems": problems,
            "warnings": self.warnings,
            "resources": self.config.as_ref().map_or_else(|_| Vec::new(), |it| self.resources(it)),
        })
    }
}
