//! Who asks, once a plugin has found out.

use std::{collections::HashMap, fmt, sync::Arc};

use http::HeaderName;

use crate::value::Rate;

/// The fields by which upstreams are told who asks: name, id in other systems, groups, credential, and
/// whether it is nobody in particular. The gateway takes them off what clients send.
pub const IDENTITY_FIELDS: [HeaderName; 5] = [
    HeaderName::from_static("x-consumer-username"),
    HeaderName::from_static("x-consumer-custom-id"),
    HeaderName::from_static("x-consumer-groups"),
    HeaderName::from_static("x-credential-identifier"),
    HeaderName::from_static("x-anonymous-consumer"),
];

/// Somebody who uses the gateway's services, known by credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consumer {
    /// The name in the configuration, or the one a token gives.
    pub name: Box<str>,
    /// What other systems call them.
    pub custom_id: Option<Box<str>>,
    /// The groups they belong to.
    pub groups: Box<[Box<str>]>,
    /// How often they may ask, where that is not what everybody may.
    pub rate_limits: Box<[Rate]>,
    /// The credential by which they were known: never the secret.
    pub credential: Option<Box<str>>,
    /// What a verified token claims, as JSON.
    pub claims: Option<Arc<serde_json::Map<String, serde_json::Value>>>,
}

/// The way by which a consumer shows who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A key that nobody else knows. Its id is the SHA-256 of the key, in lower-case hexadecimal
    /// digits, so that no configuration has to hold the key.
    Key,
    /// A name and a password. Its secret is the hash of the password, in PHC or bcrypt form.
    Basic,
    /// A key for tokens. Its secret is the shared secret or the public key in PEM.
    Jwt,
    /// A shared secret for signatures.
    Hmac,
}

/// One credential of a consumer.
#[derive(Clone)]
pub struct Credential {
    /// Whose it is.
    pub consumer: Arc<Consumer>,
    /// What it is called: a user name, a key id, or the digest of a key.
    pub id: Box<str>,
    /// What proves it.
    pub secret: Box<str>,
    /// The one algorithm it is good for.
    pub algorithm: Option<Box<str>>,
}

/// All consumers of a configuration, by their credentials.
#[derive(Clone, Debug, Default)]
pub struct Consumers(HashMap<(CredentialKind, Box<str>), Credential>);

impl Consumer {
    /// A consumer of this name and nothing else.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Whether they belong to the group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| **one == *group)
    }
}

impl Consumers {
    /// The credential of this kind and id.
    #[must_use]
    pub fn get(&self, kind: CredentialKind, id: &str) -> Option<&Credential> {
        self.0.get(&(kind, Box::from(id)))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(CredentialKind, Credential)> for Consumers {
    fn from_iter<T: IntoIterator<Item = (CredentialKind, Credential)>>(all: T) -> Self {
        let keyed = all.into_iter().map(|(kind, one)| ((kind, one.id.clone()), one));
        Self(keyed.collect())
    }
}

/// Without the secret.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("consumer", &self.consumer.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
