//! What command line, environment and profile come to.

use std::{env, fs, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri, uri::Scheme};

use super::{Hidden, profile};
use crate::{
    remote::args::Connection,
    terminal::{self, UsageError},
};

const DEFAULT: &str = "http://127.0.0.1:9080";

/// How the gateway is reached, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) admin: Address,
    /// The value of `Authorization`; marked as sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) insecure: bool,
    pub(crate) follow: bool,
    pub(crate) verbose: bool,
    pub(crate) timeout: Duration,
    /// The namespace of the profile.
    pub(crate) namespace: Option<String>,
}

/// Where the admin API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What stands before `/api`; without a slash at its end.
    pub(crate) prefix: String,
}

/// What the environment says. A variable that is empty is not set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    admin: Option<String>,
    token: Option<Hidden>,
    token_file: Option<PathBuf>,
    auth: Option<Hidden>,
    profile: Option<String>,
    follow: bool,
}

impl Variables {
    /// Those of the process.
    pub(crate) fn read() -> Self {
        let text = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let is_true = |value: String| matches!(value.as_str(), "1" | "true" | "TRUE" | "yes");
        Self {
            admin: text("PORTWAY_ADMIN").or_else(|| text("DGATE_ADMIN_API")),
            token: text("PORTWAY_TOKEN").map(Hidden::from),
            token_file: text("PORTWAY_TOKEN_FILE").map(PathBuf::from),
            auth: text("PORTWAY_AUTH").or_else(|| text("DGATE_ADMIN_AUTH")).map(Hidden::from),
            profile: text("PORTWAY_PROFILE"),
            follow: text("DGATE_FOLLOW_REDIRECTS").is_some_and(is_true),
        }
    }
}

/// Puts together what is said where.
pub(crate) fn settings(given: &Connection, variables: &Variables) -> anyhow::Result<Settings> {
    let profiles = match profile::path() {
        Some(path) => profile::Profiles::read(&path)?,
        None => profile::Profiles::default(),
    };
    let chosen = given.profile.as_ref().or(variables.profile.as_ref());
    let profile = match chosen.or(profiles.current.as_ref()) {
        Some(name) => profiles.named(name)?.clone(),
        None => profile::Profile::default(),
    };
    merged(given, variables, profile)
}

fn merged(
    given: &Connection,
    variables: &Variables,
    profile: profile::Profile,
) -> anyhow::Result<Settings> {
    // A profile that was asked for by name comes before the environment.
    let asked = given.profile.is_some();
    let own = profile.admin.as_deref().unwrap_or(DEFAULT);
    let from_environment = variables.admin.as_deref().filter(|_| !asked);
    let named = given.admin.as_deref().or(from_environment);
    let admin = address(named.unwrap_or(own))?;
    // Secrets of one gateway are not shown to another.
    let is_own = admin == address(own)?;
    let credentials = match credentials(given)? {
        Some(credentials) => Some(credentials),
        None if asked && is_own && (profile.token.is_some() || profile.auth.is_some()) => {
            of_profile(&profile)?
        }
        None => match of_environment(variables)? {
            Some(credentials) => Some(credentials),
            None if is_own => of_profile(&profile)?,
            None => None,
        },
    };
    let clear = credentials.is_some() && !admin.tls && !is_loopback(&admin.host);
    if clear {
        terminal::warn(&format!("the credentials go to {} in the clear: use https", admin.host));
    }
    let trust_is_given = given.cacert.is_some() || given.insecure;
    Ok(Settings {
        authorization: credentials,
        cacert: given.cacert.clone().or(profile.cacert.filter(|_| is_own && !trust_is_given)),
        insecure: given.insecure || (is_own && profile.insecure && !trust_is_given),
        cert: given.cert.clone().or(profile.cert.filter(|_| is_own)),
        key: given.key.clone().or(profile.key.filter(|_| is_own)),
        follow: given.follow || variables.follow,
        verbose: given.verbose,
        timeout: Duration::from_secs(given.timeout.max(1)),
        namespace: profile.namespace.filter(|_| is_own),
        admin,
    })
}

fn credentials(given: &Connection) -> anyhow::Result<Option<HeaderValue>> {
    if let Some(token) = &given.token {
        return bearer(token.reveal()).map(Some);
    }
    if let Some(file) = &given.token_file {
        return bearer(&token_of(file)?).map(Some);
    }
    given.auth.as_ref().map(|auth| basic(auth.reveal())).transpose()
}

fn of_environment(variables: &Variables) -> anyhow::Result<Option<HeaderValue>> {
    if let Some(token) = &variables.token {
        return bearer(token.reveal()).map(Some);
    }
    if let Some(file) = &variables.token_file {
        return bearer(&token_of(file)?).map(Some);
    }
    variables.auth.as_ref().map(|auth| basic(auth.reveal())).transpose()
}

fn of_profile(profile: &profile::Profile) -> anyhow::Result<Option<HeaderValue>> {
    if let Some(token) = &profile.token {
        return bearer(token.reveal()).map(Some);
    }
    profile.auth.as_ref().map(|auth| basic(auth.reveal())).transpose()
}

fn token_of(file: &PathBuf) -> anyhow::Result<String> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the token in {}", file.display()))?;
    let token = text.trim();
    if token.is_empty() {
        bail!("there is no token in {}", file.display());
    }
    Ok(token.to_owned())
}

fn bearer(token: &str) -> anyhow::Result<HeaderValue> {
    sensitive(&format!("Bearer {}", token.trim()))
}

fn basic(auth: &str) -> anyhow::Result<HeaderValue> {
    let (user, password) = match auth.split_once(':') {
        Some((user, password)) => (user, password.to_owned()),
        None => (auth, terminal::ask_hidden(&format!("Password of {auth}: "))?),
    };
    sensitive(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

fn sensitive(value: &str) -> anyhow::Result<HeaderValue> {
    // The cause would quote nothing, and neither does this.
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| UsageError("the credentials have characters no header can hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An address as people type it: `https://gateway:9080/admin`, `gateway:9080`, `:9080`.
fn address(text: &str) -> anyhow::Result<Address> {
    if text.contains('@') {
        let message = "the address of the admin API names a user: give that with --auth";
        return Err(UsageError(message.to_owned()).into());
    }
    let wrong = || {
        let message = format!("{text:?} is no address of an admin API, such as {DEFAULT}");
        anyhow::Error::from(UsageError(message))
    };
    let full = match (text.contains("://"), text.strip_prefix(':')) {
        (true, _) => text.to_owned(),
        (false, Some(port)) => format!("http://127.0.0.1:{port}"),
        (false, None) => format!("http://{text}"),
    };
    let uri: Uri = full.parse().map_err(|_| wrong())?;
    let tls = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return Err(wrong()),
    };
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    if uri.query().is_some() {
        return Err(wrong());
    }
    let prefix = uri.path().trim_end_matches('/');
    // Whoever copies the address of a resource's list means the gateway.
    let prefix = prefix.strip_suffix("/api/v1").unwrap_or(prefix).to_owned();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    Ok(Address { tls, host: host.trim_matches(['[', ']']).to_owned(), port, prefix })
}

impl Address {
    /// The authority, for `Host` and for people.
    pub(crate) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// The whole, for people.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.prefix)
    }

    /// Another place a redirect leads to.
    pub(crate) fn redirected(location: &str) -> anyhow::Result<(Self, String)> {
        let uri: Uri = location.parse()?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            bail!("it names no host");
        };
        Ok((address(&format!("{scheme}://{authority}"))?, path))
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{profile::Profile, *};

    fn of(given: &Connection, variables: &Variables, profile: &Profile) -> Settings {
        merged(given, variables, profile.clone()).unwrap()
    }

    fn authorization(settings: &Settings) -> &str {
        settings.authorization.as_ref().map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn an_address_is_read_as_people_type_it() {
        for (text, url) in [
            ("http://127.0.0.1:9080", "http://127.0.0.1:9080"),
            ("https://gateway/", "https://gateway:443"),
            ("http://localhost:9080/api/v1/", "http://localhost:9080"),
            ("gateway:9080", "http://gateway:9080"),
            (":9081", "http://127.0.0.1:9081"),
            ("https://[::1]:9080/admin", "https://[::1]:9080/admin"),
        ] {
            assert_eq!(address(text).unwrap().url(), url);
        }
        for text in ["", "ftp://a", "http://", "http://a?b=c", "a b", "http://me:pw@a"] {
            let error = address(text).unwrap_err();
            assert!(error.is::<UsageError>(), "{text}");
            assert!(!error.to_string().contains("pw@"), "{error}");
        }
    }

    #[test]
    fn the_nearest_word_counts() {
        let hidden = |text: &str| Some(Hidden::from(text.to_owned()));
        let profile = Profile {
            admin: Some("https://prod:1".to_owned()),
            token: hidden("of-profile"),
            namespace: Some("shop".to_owned()),
            ..Profile::default()
        };
        let (nothing, silent) = (Connection::default(), Variables::default());
        let settings = of(&nothing, &silent, &profile);
        assert_eq!(settings.admin.url(), "https://prod:1");
        assert_eq!(authorization(&settings), "Bearer of-profile");
        assert_eq!(settings.namespace.as_deref(), Some("shop"));

        let variables = Variables { token: hidden("of-environment"), ..Variables::default() };
        assert_eq!(authorization(&of(&nothing, &variables, &profile)), "Bearer of-environment");
        let asked = Connection { profile: Some("prod".to_owned()), ..Connection::default() };
        assert_eq!(authorization(&of(&asked, &variables, &profile)), "Bearer of-profile");
        let given = Connection { auth: hidden("me:pw"), ..Connection::default() };
        assert_eq!(authorization(&of(&given, &variables, &profile)), "Basic bWU6cHc=");
    }

    #[test]
    fn what_is_meant_for_one_gateway_is_not_sent_to_another() {
        let profile = Profile {
            admin: Some("https://prod:1".to_owned()),
            token: Some(Hidden::from("secret".to_owned())),
            insecure: true,
            namespace: Some("shop".to_owned()),
            ..Profile::default()
        };
        let elsewhere =
            Connection { admin: Some("https://evil".to_owned()), ..Connection::default() };
        let settings = of(&elsewhere, &Variables::default(), &profile);
        assert_eq!(authorization(&settings), "");
        assert!(!settings.insecure);
        assert_eq!(settings.namespace, None);
        let same =
            Connection { admin: Some("https://prod:1/".to_owned()), ..Connection::default() };
        assert_eq!(authorization(&of(&same, &Variables::default(), &profile)), "Bearer secret");
    }

    #[test]
    fn secrets_are_not_shown() {
        let given = Connection { auth: Some("me:pw".parse().unwrap()), ..Connection::default() };
        let settings = of(&given, &Variables::default(), &Profile::default());
        let shown = format!("{given:?} {settings:?}");
        assert!(!shown.contains("pw") && !shown.contains("bWU6"), "{shown}");
        let error = sensitive("Bearer a\nb").unwrap_err().to_string();
        assert!(!error.contains("a\nb"), "{error}");
    }
}
