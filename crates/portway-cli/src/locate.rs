//! Which configuration files are meant.

use std::{env, ffi::OsString, path::PathBuf};

use crate::{
    args::Files,
    terminal::{self, UsageError},
};

/// The variables that may name files, in the order in which they are asked.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// One or several, with colons between them.
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

    fn portway(&self) -> Vec<PathBuf> {
        let named = self.portway.iter().flat_map(env::split_paths);
        named.filter(|path| !path.as_os_str().is_empty()).collect()
    }

    fn restgate(&self) -> Option<PathBuf> {
        if let Some(file) = &self.restgate {
            return Some(file.into());
        }
        let file = self.misspelt.as_ref()?;
        terminal::warn(&format!("{MISSPELT} is a misspelling of {RESTGATE}: set {PORTWAY}"));
        Some(file.into())
    }

    /// The files it names. Where it names none of ours, one of `usual` that is there comes before
    /// RESTGate's.
    fn files(&self, usual: &[&str]) -> Vec<PathBuf> {
        let named = self.portway();
        if !named.is_empty() {
            return named;
        }
        let there = usual.iter().map(PathBuf::from).find(|file| file.exists());
        there.or_else(|| self.restgate()).into_iter().collect()
    }
}

/// Where a configuration is when nobody says where.
const USUAL: [&str; 2] = ["./portway.yaml", "/etc/portway/portway.yaml"];

/// The files and directories that a command is about.
pub(crate) fn files(named: &Files) -> anyhow::Result<Vec<PathBuf>> {
    let on_command_line: Vec<_> = named.files.iter().chain(&named.config).cloned().collect();
    if !on_command_line.is_empty() {
        return Ok(on_command_line);
    }
    match environment().files(&USUAL) {
        found if found.is_empty() => Err(no_file()),
        found => Ok(found),
    }
}

/// Files as people name them together.
pub(crate) fn joined(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    names.join(", ")
}

fn no_file() -> anyhow::Error {
    let usual = USUAL.join(" nor ");
    let message = format!(
        "no configuration: no file is named, {PORTWAY} and {RESTGATE} are not set, and there is \
         neither {usual}"
    );
    UsageError(message).into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Environment, PathBuf};

    #[test]
    fn what_is_named_comes_before_what_is_there_and_that_before_restgate() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.yaml"), folder.path().join("two.yaml"));
        let usual = [one.to_str().unwrap(), two.to_str().unwrap()];
        let restgate = || Some("restgate.yaml".into());
        let environment = Environment { restgate: restgate(), ..Environment::default() };
        assert_eq!(environment.files(&usual), [PathBuf::from("restgate.yaml")]);
        assert!(Environment::default().files(&usual).is_empty());
        fs::write(&two, "").unwrap();
        assert_eq!(environment.files(&usual), std::slice::from_ref(&two));
        fs::write(&one, "").unwrap();
        assert_eq!(environment.files(&usual), std::slice::from_ref(&one));
        let portway = Some("a.yaml:conf.d:".into());
        let environment = Environment { portway, ..environment };
        assert_eq!(environment.files(&usual), ["a.yaml", "conf.d"].map(PathBuf::from));
    }
}
