//! Consumers by their credentials.

use std::{fmt::Write, sync::Arc};

use portway_config::{Config, Consumer as ConsumerSpec};
use portway_plugin::{Consumer, Consumers, Credential, CredentialKind};
use sha2::{Digest, Sha256};

/// How the digest of a key is written in place of the key.
const DIGEST: &str = "sha256:";

/// The credentials of a configuration. Keys are kept as their digests.
pub(super) fn consumers(config: &Config) -> Consumers {
    let enabled = config.consumers.iter().filter(|consumer| consumer.meta.enabled);
    enabled.flat_map(credentials).collect()
}

fn credentials(spec: &ConsumerSpec) -> Vec<(CredentialKind, Credential)> {
    let consumer = |credential: &str| {
        Arc::new(Consumer {
            name: spec.meta.name.as_str().into(),
            custom_id: spec.custom_id.as_deref().map(Into::into),
            groups: spec.groups.iter().map(|group| group.as_str().into()).collect(),
            rate_limits: spec.rate_limits.clone().into(),
            credential: Some(credential.into()),
            claims: None,
        })
    };
    let keys = spec.keys.iter().enumerate().map(|(number, key)| {
        let digest = key.strip_prefix(DIGEST).map_or_else(|| digest(key), str::to_lowercase);
        // The digest says nothing to people, and must not be sent around.
        let consumer = consumer(&format!("key {}", number + 1));
        let credential =
            Credential { consumer, id: digest.into(), secret: "".into(), algorithm: None };
        (CredentialKind::Key, credential)
    });
    let passwords = spec.passwords.iter().map(|password| {
        let name = password.username.as_deref().unwrap_or(spec.meta.name.as_str());
        let secret = password.hash.as_str().into();
        let credential =
            Credential { consumer: consumer(name), id: name.into(), secret, algorithm: None };
        (CredentialKind::Basic, credential)
    });
    let tokens = spec.jwt.iter().map(|key| {
        let secret = key.secret.as_deref().or(key.public_key.as_deref()).unwrap_or_default();
        let credential = Credential {
            consumer: consumer(&key.id),
            id: key.id.as_str().into(),
            secret: secret.into(),
            algorithm: Some(key.algorithm.as_str().into()),
        };
        (CredentialKind::Jwt, credential)
    });
    let signatures = spec.hmac.iter().map(|key| {
        let credential = Credential {
            consumer: consumer(&key.id),
            id: key.id.as_str().into(),
            secret: key.secret.as_str().into(),
            algorithm: None,
        };
        (CredentialKind::Hmac, credential)
    });
    keys.chain(passwords).chain(tokens).chain(signatures).collect()
}

/// The SHA-256 of a key, in lower-case hexadecimal digits.
fn digest(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
