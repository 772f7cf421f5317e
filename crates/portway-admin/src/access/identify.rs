//! People whom somebody else vouches for: by a signed token, by a certificate.

use std::{collections::BTreeMap, time::Duration};

use portway_config::{
    AdminCertificate, AdminJwt, ClientCertificate, Problem, Role,
    credential::{Checks, Key, Refused, Token, claim, texts},
    value::{HostPattern, NamespaceScope},
};
use serde_json::{Map, Value};

use super::rights::{By, Grant, Who};

/// The longest name that is kept of anybody.
const LONGEST_NAME: usize = 256;

/// Signed tokens that are taken.
#[derive(Debug)]
pub(super) struct Jwt {
    keys: Box<[Key]>,
    checks: Checks,
    name_claim: String,
    role_claim: String,
    roles: BTreeMap<String, Role>,
    namespaces_claim: Option<String>,
}

/// What comes of a signed token.
#[derive(Debug)]
pub(super) enum Vouched {
    /// It is good, and says who this is.
    For(Who),
    /// It is good, and says nothing that counts here.
    WithoutRole,
    /// It is not good.
    NotAtAll(&'static str),
}

impl Jwt {
    pub(super) fn new(spec: &AdminJwt) -> Result<Self, Problem> {
        let checks = Checks {
            issuers: spec.issuers.clone().into(),
            audiences: spec.audiences.clone().into(),
            leeway: spec.leeway.get(),
            // One that is stolen must not be good for ever.
            require_expiry: true,
            required: BTreeMap::new(),
        };
        Ok(Self {
            keys: spec.keys.iter().map(Key::of).collect::<Result<_, _>>()?,
            checks,
            name_claim: spec.name_claim.clone(),
            role_claim: spec.role_claim.clone(),
            roles: match spec.roles.is_empty() {
                true => {
                    [("viewer", Role::Viewer), ("editor", Role::Editor), ("admin", Role::Admin)]
                        .map(|(name, role)| (name.to_owned(), role))
                        .into()
                }
                false => spec.roles.clone(),
            },
            namespaces_claim: spec.namespaces_claim.clone(),
        })
    }

    /// Whom a token is of, at a time since 1970.
    pub(super) fn vouch(&self, token: &[u8], now: Duration) -> Vouched {
        match self.claims(token, now) {
            Ok(claims) => self.who(&claims),
            Err(Refused(why)) => Vouched::NotAtAll(why),
        }
    }

    fn claims(&self, token: &[u8], now: Duration) -> Result<Map<String, Value>, Refused> {
        let token = Token::read(token)?;
        match token.is_by_one(&self.keys) {
            Some(true) => {}
            Some(false) => return Err(Refused("the token's signature is wrong")),
            None => return Err(Refused("the token's key is not known")),
        }
        self.checks.pass(&token.claims, now.as_secs_f64())?;
        Ok(token.claims)
    }

    fn who(&self, claims: &Map<String, Value>) -> Vouched {
        let values = |name: &str| claim(claims, name).map(|value| texts(name, value));
        let name = match claim(claims, &self.name_claim) {
            Some(Value::String(name)) => name.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Vouched::NotAtAll("the token does not say who asks");
        }
        let roles = values(&self.role_claim).unwrap_or_default();
        let role = roles.iter().filter_map(|role| self.roles.get(role)).max();
        let Some(role) = role else { return Vouched::WithoutRole };
        let mut grant = Grant::of(*role);
        if let Some(name) = &self.namespaces_claim {
            let names = values(name).unwrap_or_default();
            grant = grant.within(names.iter().filter_map(|name| name.parse().ok()).collect());
        }
        Vouched::For(Who { name: name.into(), by: By::Jwt, grant })
    }
}

/// Who shows a certificate: the first line that fits.
pub(super) fn by_certificate(
    lines: &[AdminCertificate],
    shown: &ClientCertificate<'_>,
) -> Option<Who> {
    let line = lines.iter().find(|line| fits(line, shown))?;
    let names = [shown.subject].into_iter();
    let names = names.chain(shown.uris.iter().chain(shown.dns).map(AsRef::as_ref));
    let name = names.chain([shown.fingerprint]).find(|name| !name.is_empty())?;
    let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect::<String>();
    let namespaces: Vec<NamespaceScope> = line.namespaces.clone();
    let grant = Grant::of(line.role).within(namespaces);
    Some(Who { name: name.into(), by: By::Certificate, grant })
}

fn fits(line: &AdminCertificate, shown: &ClientCertificate<'_>) -> bool {
    let AdminCertificate { subject, dns, uri, fingerprint, .. } = line;
    let says_something =
        subject.is_some() || dns.is_some() || uri.is_some() || fingerprint.is_some();
    says_something
        && subject.as_ref().is_none_or(|subject| subject == shown.subject)
        && dns.as_ref().is_none_or(|dns| shown.dns.iter().any(|name| takes(dns, name)))
        && uri.as_ref().is_none_or(|uri| shown.uris.iter().any(|shown| takes_uri(uri, shown)))
        && fingerprint.as_ref().is_none_or(|text| text.eq_ignore_ascii_case(shown.fingerprint))
}

/// A wildcard certificate is for no single name, and so it is nobody's here.
fn takes(pattern: &HostPattern, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let below = |suffix: &str| {
        name.strip_suffix(suffix).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
    };
    !name.contains('*')
        && (pattern.is_any()
            || pattern.exact() == Some(&*name)
            || pattern.suffix().is_some_and(below))
}

fn takes_uri(pattern: &str, uri: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => uri.starts_with(prefix),
        None => uri == pattern,
    }
}
