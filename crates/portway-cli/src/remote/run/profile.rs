//! `portway profile`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{
    remote::{
        args::{Profile, ProfileVerb},
        connect::{
            Hidden,
            profile::{self, Profiles},
        },
        kinds::nearest,
        pairs::Pair,
        show::{self, items, text},
    },
    terminal::{UsageError, columns, print},
};

const KEYS: &[&str] = &["admin", "token", "auth", "cacert", "cert", "key", "insecure", "namespace"];

pub(super) fn profile(args: &Profile) -> anyhow::Result<ExitCode> {
    let path = profile::path().context("neither XDG_CONFIG_HOME nor HOME is set")?;
    let mut profiles = Profiles::read(&path)?;
    match &args.verb {
        ProfileVerb::List { output } => {
            show::value(output.form, &without_secrets(&profiles), table)?;
            return Ok(ExitCode::SUCCESS);
        }
        ProfileVerb::Use { name } => {
            profiles.named(name)?;
            profiles.current = Some(name.clone());
        }
        ProfileVerb::Set { name, pairs } => {
            let one = profiles.profiles.entry(name.clone()).or_default();
            for pair in pairs {
                set(one, pair)?;
            }
            // Whoever has one gateway means that one.
            if profiles.profiles.len() == 1 {
                profiles.current = Some(name.clone());
            }
        }
        ProfileVerb::Delete { names } => {
            for name in names {
                profiles.named(name)?;
                profiles.profiles.remove(name);
                profiles.current = profiles.current.filter(|current| current != name);
            }
        }
    }
    profiles.write(&path)?;
    print(&format!("{} written\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn set(one: &mut profile::Profile, typed: &Hidden) -> anyhow::Result<()> {
    // What was typed may be a secret, so messages quote the key alone.
    let Some(pair) = Pair::read(typed.reveal()) else {
        bail!(UsageError("write what is set as KEY=VALUE or KEY@=FILE".to_owned()));
    };
    let value = pair.text()?.trim().to_owned();
    let value = Some(value).filter(|value| !value.is_empty());
    match pair.key.as_str() {
        "admin" => one.admin = value,
        "token" => one.token = value.map(Hidden::from),
        "auth" => one.auth = value.map(Hidden::from),
        "cacert" => one.cacert = value.map(Into::into),
        "cert" => one.cert = value.map(Into::into),
        "key" => one.key = value.map(Into::into),
        "insecure" => one.insecure = value.is_some_and(|value| value == "true"),
        "namespace" => one.namespace = value,
        other => {
            let hint = match nearest(other, KEYS.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", KEYS.join(", ")),
            };
            bail!(UsageError(format!("a profile has no key {other:?}; {hint}")));
        }
    }
    Ok(())
}

fn without_secrets(profiles: &Profiles) -> Value {
    let one = |(name, one): (&String, &profile::Profile)| {
        json!({
            "name": name,
            "current": profiles.current.as_ref() == Some(name),
            "admin": one.admin,
            "namespace": one.namespace,
            "credentials": match (&one.token, &one.auth) {
                (Some(_), _) => Some("token"),
                (None, Some(_)) => Some("auth"),
                (None, None) => None,
            },
            "cacert": one.cacert,
            "insecure": one.insecure,
        })
    };
    profiles.profiles.iter().map(one).collect()
}

fn table(profiles: &Value) -> String {
    let row = |one: &Value| {
        let mark = if one["current"] == true { "*" } else { "" };
        let at = ["/name", "/admin", "/namespace", "/credentials"];
        [mark.to_owned()].into_iter().chain(at.map(|at| text(one, at))).collect()
    };
    let rows = items(profiles, "").iter().map(row).collect::<Vec<Vec<_>>>();
    columns(&["CURRENT", "NAME", "ADMIN", "NAMESPACE", "CREDENTIALS"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_set_key_by_key() {
        let mut one = profile::Profile::default();
        let mut try_to = |text: &str| set(&mut one, &text.parse().unwrap());
        try_to("admin=https://a").unwrap();
        try_to("token=pwt_1").unwrap();
        try_to("namespace=shop").unwrap();
        try_to("namespace=").unwrap();
        let error = try_to("tokn=pwt_1").unwrap_err().to_string();
        assert!(error.contains("did you mean token?") && !error.contains("pwt_1"), "{error}");
        let error = try_to("pwt_1").unwrap_err().to_string();
        assert!(!error.contains("pwt_1"), "{error}");
        assert_eq!(one.admin.as_deref(), Some("https://a"));
        assert_eq!(one.namespace, None);
        let profiles =
            Profiles { current: Some("a".to_owned()), profiles: [("a".to_owned(), one)].into() };
        let shown = without_secrets(&profiles);
        assert_eq!(shown[0]["credentials"], "token");
        assert!(!shown.to_string().contains("pwt_1"), "{shown}");
    }
}
