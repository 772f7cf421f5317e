//! The command line of RESTGate, and of whoever names nothing but a file.
//!
//! RESTGate takes one flag, `-config FILE`, and serves. With Go's flags one dash is as good as
//! two, and the value may follow an equals sign. A container that sets only the environment
//! variable calls the executable without arguments.

use std::ffi::OsString;

use crate::locate::Environment;

/// The arguments as they are meant today.
pub(crate) fn arguments(mut given: Vec<OsString>, environment: &Environment) -> Vec<OsString> {
    let Some(first) = given.get(1) else {
        if environment.names_file() {
            given.push("run".into());
        }
        return given;
    };
    let text = first.to_string_lossy();
    let flag = text.split('=').next().unwrap_or_default();
    if !matches!(flag, "-config" | "--config" | "-c") {
        return given;
    }
    if let Some(rest) = text.strip_prefix("-config") {
        given[1] = format!("--config{rest}").into();
    }
    given.insert(1, "run".into());
    given
}

#[cfg(test)]
mod tests {
    use super::{Environment, OsString, arguments};

    fn meant(given: &[&str], environment: &Environment) -> Vec<OsString> {
        let given = ["portway"].iter().chain(given).map(Into::into).collect();
        arguments(given, environment).split_off(1)
    }

    #[test]
    fn the_flag_of_restgate_means_run() {
        let nothing = Environment::default();
        for (given, expected) in [
            (&["-config", "a.yaml"][..], &["run", "--config", "a.yaml"][..]),
            (&["--config", "a.yaml"], &["run", "--config", "a.yaml"]),
            (&["-config=a.yaml"], &["run", "--config=a.yaml"]),
            (&["--config=a.yaml"], &["run", "--config=a.yaml"]),
            (&["-c", "a.yaml"], &["run", "-c", "a.yaml"]),
            (&["run", "a.yaml"], &["run", "a.yaml"]),
            (&["check", "-config"], &["check", "-config"]),
            (&["-configuration"], &["-configuration"]),
            (&["--help"], &["--help"]),
            (&[], &[]),
        ] {
            assert_eq!(meant(given, &nothing), expected, "{given:?}");
        }
    }

    #[test]
    fn a_file_in_the_environment_means_run() {
        let file = || Some("a.yaml".into());
        for environment in [
            Environment { portway: file(), ..Environment::default() },
            Environment { restgate: file(), ..Environment::default() },
            Environment { misspelt: file(), ..Environment::default() },
        ] {
            assert_eq!(meant(&[], &environment), ["run"], "{environment:?}");
            assert_eq!(meant(&["version"], &environment), ["version"]);
        }
    }
}
