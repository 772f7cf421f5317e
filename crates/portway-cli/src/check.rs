//! `portway check`.

use std::{path::PathBuf, process::ExitCode};

use portway::{
    config::{Checked, Config, Problem},
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
    let files = locate::files(&args.files)?.into_iter().map(Inspected::new).collect::<Vec<_>>();
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

/// A file and what was found in it.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub(crate) path: PathBuf,
    pub(crate) config: Result<Checked<Config>, Vec<Problem>>,
    warnings: Vec<Problem>,
    text: String,
}

impl Inspected {
    pub(crate) fn new(path: PathBuf) -> Self {
        let source::Reading { text, content, .. } = source::read(&path, &catalog());
        let mut warnings = Vec::new();
        let config = content.and_then(|loaded| {
            let places = loaded.places.clone();
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
        Self { path, config, warnings, text }
    }

    /// Says what is wrong with it. `false` when nothing is.
    pub(crate) fn tell_problems(&self) -> bool {
        if let Err(problems) = &self.config {
            terminal::problems(&self.path, problems, &self.text);
        }
        self.config.is_err()
    }

    fn tell(&self) -> anyhow::Result<()> {
        if self.tell_problems() {
            return Ok(());
        }
        if let Ok(config) = &self.config {
            terminal::warnings(&self.warnings, &self.text);
            let services = plural(config.services.len(), "service");
            let routes = plural(config.routes.len(), "route");
            print(&format!("{}: ok, {services}, {routes}\n", self.path.display()))?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let problems = self.config.as_ref().err().map_or(&[][..], |problems| problems);
        json!({
            "file": self.path.to_string_lossy(),
            "valid": self.config.is_ok(),
            "problems": problems,
            "warnings": self.warnings,
        })
    }
}
