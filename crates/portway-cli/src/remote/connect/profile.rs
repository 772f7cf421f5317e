//! The user's file of gateways.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use portway::config::Tree;
use serde::{Deserialize, Serialize};

use super::Hidden;
use crate::{remote::show::yaml, terminal};

/// The gateways a user knows by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The one that is used unless another is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// How one gateway is reached, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cacert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) insecure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
}

impl Profile {
    fn has_secret(&self) -> bool {
        self.token.is_some() || self.auth.is_some()
    }
}

/// Where the file is, when the environment says enough to know.
pub(crate) fn path() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(config.join("portway").join("config.yaml"))
}

impl Profiles {
    /// What the file says. One that is not there says nothing.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => return Ok(Self::default()),
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        // What is wrong is told without the text: a token may stand on the line.
        let tree = Tree::parse(&text, &shown.to_string()).map_err(|problems| {
            let said = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
            anyhow::anyhow!("{}", said.join("\n"))
        })?;
        let profiles: Self = serde_json::from_value(tree.to_json()).map_err(|_| {
            anyhow::anyhow!("{shown} is not a file of profiles: see `portway profile --help`")
        })?;
        if profiles.profiles.values().any(Profile::has_secret) {
            private(path)?;
        }
        Ok(profiles)
    }

    /// Writes the file anew, for the user alone.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let text = yaml::document(&serde_json::to_value(self)?);
        let written = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            // Temporary files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(path)?;
            fs::set_permissions(path, Permissions::from_mode(0o600))
        };
        written().with_context(|| format!("cannot write {}", path.display()))
    }

    /// The profile of this name.
    pub(crate) fn named(&self, name: &str) -> anyhow::Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            let names = self.profiles.keys().map(String::as_str).collect::<Vec<_>>();
            let there_are =
                if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
            terminal::UsageError(format!("there is no profile {name:?}; {there_are}")).into()
        })
    }
}

/// A secret that everybody on the machine can read is none.
fn private(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    let shown = path.display();
    if mode & 0o007 != 0 {
        bail!("{shown} holds a secret and every user can read it: chmod 600 {shown}");
    }
    if mode & 0o070 != 0 {
        terminal::warn(&format!(
            "{shown} holds a secret and its group can read it: chmod 600 {shown}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_for_its_user_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portway/config.yaml");
        assert_eq!(Profiles::read(&path).unwrap(), Profiles::default());
        let prod = Profile {
            admin: Some("https://gateway:9080".to_owned()),
            token: Some("pwt_1: #2".to_owned().into()),
            ..Profile::default()
        };
        let profiles = Profiles {
            current: Some("prod".to_owned()),
            profiles: BTreeMap::from([("prod".to_owned(), prod)]),
        };
        profiles.write(&path).unwrap();
        assert_eq!(Profiles::read(&path).unwrap(), profiles);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = Profiles::read(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        assert!(!error.contains("pwt_1"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        for text in ["profiles: {a: {token: [pwt_1]}}", "token: pwt_1", "profiles: {a: pwt_1"] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", Profiles::read(&path).unwrap_err());
            assert!(error.contains("config.yaml"), "{error}");
            assert!(!error.contains("pwt_1"), "{error}");
        }
    }
}
