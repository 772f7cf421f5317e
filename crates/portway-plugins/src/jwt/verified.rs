//! What a token that was good is worth: who it is of, and what the upstream is told.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use portway_plugin::{
    Consumer, Consumers, CredentialKind, Host,
    credential::{Refused, claim, texts},
};
use serde_json::{Map, Value};

use super::{JwtSpec, ring::Ring};

/// The longest time a token without an expiry is remembered.
const LONGEST: Duration = Duration::from_secs(3600);

/// A token that was good.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) consumer: Arc<Consumer>,
    pub(super) fields: Box<[(HeaderName, HeaderValue)]>,
    pub(super) by: By,
}

/// Whose key it was. When the key changes, the token has to be looked at again.
#[derive(Debug)]
pub(super) enum By {
    /// The spec's, which lives as long as the plugin.
    Spec,
    /// The identity provider's, of this generation.
    Ring(u64),
    /// A consumer's, by its id, as the configuration had them.
    Consumer(Box<str>, Arc<Consumer>),
}

/// What is made of claims.
#[derive(Debug)]
pub(super) struct Telling {
    consumer: String,
    groups: Option<String>,
    fields: Box<[(HeaderName, String)]>,
}

impl Verified {
    /// Whether the key still is what it was.
    pub(super) fn is_current(
        &self,
        ring: Option<&Arc<Ring>>,
        consumers: &Consumers,
        host: &Host,
    ) -> bool {
        match &self.by {
            By::Spec => true,
            By::Ring(generation) => ring
                .and_then(|ring| ring.current(host))
                .is_some_and(|keys| keys.generation == *generation),
            By::Consumer(id, consumer) => consumers
                .get(CredentialKind::Jwt, id)
                .is_some_and(|credential| Arc::ptr_eq(&credential.consumer, consumer)),
        }
    }
}

impl Telling {
    pub(super) fn new(spec: &JwtSpec) -> Self {
        let fields = spec.claims_to_headers.iter();
        Self {
            consumer: spec.consumer_claim.clone(),
            groups: spec.groups_claim.clone(),
            fields: fields.map(|(name, claim)| (name.get().clone(), claim.clone())).collect(),
        }
    }

    /// Takes off what a client says in the fields of claims.
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        for (name, _) in &self.fields {
            headers.remove(name);
        }
    }

    /// What a token says, once its signature and its claims are good.
    pub(super) fn of(
        &self,
        claims: Map<String, Value>,
        key: Option<Box<str>>,
        by: By,
    ) -> Result<Verified, Refused> {
        let fields = self.fields.iter().filter_map(|(name, wanted)| {
            let value = field(wanted, claim(&claims, wanted)?)?;
            Some((name.clone(), value))
        });
        let fields = fields.collect();
        let consumer = if let By::Consumer(_, consumer) = &by {
            Consumer { claims: Some(Arc::new(claims)), ..Consumer::clone(consumer) }
        } else {
            let name = match claim(&claims, &self.consumer) {
                Some(Value::String(name)) if !name.is_empty() => name.as_str().into(),
                Some(Value::Number(number)) => number.to_string().into(),
                _ => return Err(Refused("the token does not say who asks")),
            };
            let groups =
                self.groups.as_ref().and_then(|groups| Some((groups, claim(&claims, groups)?)));
            let groups = groups.map(|(name, value)| texts(name, value)).unwrap_or_default();
            Consumer {
                name,
                groups: groups.into_iter().map(Into::into).collect(),
                credential: key,
                claims: Some(Arc::new(claims)),
                ..Consumer::default()
            }
        };
        Ok(Verified { consumer: Arc::new(consumer), fields, by })
    }
}

/// A claim as a field's value; none where it cannot be one.
fn field(name: &str, value: &Value) -> Option<HeaderValue> {
    let text = match value {
        Value::String(text) => text.clone(),
        // An element with a comma in it would be read as two.
        _ => texts(name, value)
            .into_iter()
            .filter(|text| !text.contains(','))
            .collect::<Vec<_>>()
            .join(","),
    };
    HeaderValue::from_bytes(text.as_bytes()).ok().filter(|value| !value.is_empty())
}

/// Until when a token is remembered, since 1970.
pub(super) fn end(expiry: Option<f64>, now: Duration) -> Duration {
    let expiry = expiry.and_then(|expiry| Duration::try_from_secs_f64(expiry).ok());
    expiry.unwrap_or(now + LONGEST)
}
