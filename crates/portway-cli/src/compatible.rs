//! The command lines of RESTGate and of DGate, and of whoever names nothing but a file.
//!
//! DGate takes options before the noun (`--admin URL route list`), short ones also together
//! (`-Vf`). RESTGate takes one flag, `-config FILE`, and serves. With Go's flags one dash is as good as
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
        return options_last(given);
    }
    if let Some(rest) = text.strip_prefix("-config") {
        given[1] = format!("--config{rest}").into();
    }
    given.insert(1, "run".into());
    given
}

/// Options that take a value and may stand before the command.
const VALUED: &[&str] = &[
    "--admin",
    "--auth",
    "-a",
    "--token",
    "--token-file",
    "--profile",
    "--cacert",
    "--cert",
    "--key",
    "--timeout",
];
/// Those that take none, and their short forms, which mean other things behind a command.
const FLAGS: &[(&str, char)] = &[("--follow", 'f'), ("--verbose", 'V'), ("--insecure", '\0')];

/// Puts options of the connection that stand before the command behind it.
fn options_last(given: Vec<OsString>) -> Vec<OsString> {
    let (mut moved, mut at) = (Vec::new(), 1);
    while let Some(text) = given.get(at).and_then(|one| one.to_str()) {
        let name = text.split('=').next().unwrap_or_default();
        if VALUED.contains(&text) {
            moved.extend(given.get(at..at + 2).unwrap_or_default().iter().cloned());
            at += 2;
        } else if VALUED.contains(&name) || FLAGS.iter().any(|(flag, _)| *flag == text) {
            moved.push(text.into());
            at += 1;
        } else if let Some(flags) = short(text) {
            moved.extend(flags.into_iter().map(OsString::from));
            at += 1;
        } else {
            break;
        }
    }
    // Without a command behind them they are what they seem: `portway -V` asks for the version.
    if moved.is_empty() || given.get(at).is_none_or(|one| one.to_string_lossy().starts_with('-')) {
        return given;
    }
    let (program, command) = (given[..1].iter(), given[at..=at].iter());
    program.chain(command).chain(&moved).chain(&given[at + 1..]).cloned().collect()
}

/// The long forms of `-Vf`.
fn short(text: &str) -> Option<Vec<&'static str>> {
    let letters = text.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    let long = |letter| FLAGS.iter().find(|(_, short)| *short == letter).map(|(long, _)| *long);
    letters.chars().map(long).collect()
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
    fn options_of_dgate_may_stand_before_the_noun() {
        let nothing = Environment::default();
        for (given, expected) in [
            (
                &["--admin", "http://a", "route", "list"][..],
                &["route", "--admin", "http://a", "list"][..],
            ),
            (&["-Vf", "rt", "ls"], &["rt", "--verbose", "--follow", "ls"]),
            (&["-a", "me:pw", "-f", "ns", "ls"], &["ns", "-a", "me:pw", "--follow", "ls"]),
            (&["--auth=me:pw", "ns", "ls"], &["ns", "--auth=me:pw", "ls"]),
            (&["-V"], &["-V"]),
            (&["--admin", "http://a"], &["--admin", "http://a"]),
            (&["--admin"], &["--admin"]),
            (&["-Vx", "ns"], &["-Vx", "ns"]),
            (&["apply", "-f", "a.yaml"], &["apply", "-f", "a.yaml"]),
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
