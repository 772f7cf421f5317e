//! The compiled form.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::hmac;
use http::{HeaderValue, StatusCode, header};
use portway_plugin::{
    Busy, CredentialKind, Error, Host, Next, PerCore, Plugin, Problem, Request, Response, Result,
    credential::{BasicCredentials, Digest, NOBODY, Recent, Unusable, Verified, password_matches},
};

use super::BasicAuthSpec;
use crate::identity::{Gate, challenge, introduce};

/// The pairs each core remembers.
const PER_CORE: usize = 1024;

/// Lets in who has a password.
#[derive(Debug)]
pub struct BasicAuth {
    gate: Gate,
    verified: Arc<Verified>,
    process: OnceLock<Process>,
    /// The hash seen last: what a user that does not exist costs, a real one does.
    typical: Mutex<Arc<str>>,
}

/// What is there once the gateway runs.
#[derive(Debug)]
struct Process {
    key: hmac::Key,
    recent: PerCore<Mutex<Recent<()>>>,
}

impl Plugin for BasicAuth {
    const NAME: &'static str = "basic-auth";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = BasicAuthSpec;

    fn create(spec: BasicAuthSpec) -> Result<Self, Problem> {
        let challenge = challenge("Basic", &spec.realm, ", charset=\"UTF-8\"");
        Ok(Self {
            gate: Gate::new(&spec.identity, challenge),
            verified: Verified::new(spec.cache.get()),
            process: OnceLock::new(),
            typical: Mutex::new(NOBODY.into()),
        })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if self.gate.lets_pass(&mut request, exchange) {
            return next.run(request).await;
        }
        let credentials = match BasicCredentials::of(request.headers()) {
            Ok(credentials) => credentials,
            Err(Unusable::Refused(error)) => return Err(error),
            Err(Unusable::Ambiguous) => return Err(self.gate.ambiguous()),
            Err(Unusable::Missing) => {
                self.gate.stranger(request.headers_mut(), exchange)?;
                return next.run(request).await;
            }
        };
        let found = exchange.consumers().get(CredentialKind::Basic, &credentials.user);
        let hash = found.map(|credential| &*credential.secret);
        let right = self.is_right(credentials, hash, next).await.map_err(|Busy| busy())?;
        let Some(credential) = found.filter(|_| right) else {
            let says = "the name or the password is wrong";
            return Err(self.gate.refusal("invalid_credentials", says));
        };
        if self.gate.hides() {
            request.headers_mut().remove(header::AUTHORIZATION);
        }
        introduce(request.headers_mut(), exchange, &credential.consumer);
        next.run(request).await
    }
}

impl BasicAuth {
    /// Whether the password is the one of this hash. Without a hash it is not, after as long.
    async fn is_right(
        &self,
        credentials: BasicCredentials,
        hash: Option<&str>,
        next: Next<'_>,
    ) -> Result<bool, Busy> {
        let host = next.host();
        let process = self.process.get_or_init(|| Process::new(host));
        let pair = process.pair(&credentials, hash.unwrap_or_default());
        let own = process.recent.get(next.exchange());
        let now = host.elapsed();
        if own.lock().unwrap_or_else(PoisonError::into_inner).get(&pair, now).is_some() {
            return Ok(true);
        }
        if self.verified.known(&pair, now).is_none() {
            let (exists, hash) = (hash.is_some(), self.costly(hash));
            let password = credentials.password;
            // What is not there is never right, whatever the hash in its place is of.
            let matches = move || password_matches(&hash, &password) && exists;
            let run = |work| host.blocking(work);
            if !self.verified.check(pair, now, matches, run).await? {
                return Ok(false);
            }
        }
        if let Some(end) = self.verified.known(&pair, now) {
            own.lock().unwrap_or_else(PoisonError::into_inner).put(pair, (), end);
        }
        Ok(true)
    }

    /// The hash, or one that costs as much.
    fn costly(&self, hash: Option<&str>) -> Arc<str> {
        let mut typical = self.typical.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = hash
            && **typical != *hash
        {
            *typical = hash.into();
        }
        Arc::clone(&typical)
    }
}

impl Process {
    fn new(host: &Host) -> Self {
        let mut key = [0; 32];
        host.random(&mut key);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Self { key, recent: host.per_core(|| Mutex::new(Recent::new(PER_CORE))) }
    }

    /// What a pair is remembered by. It holds for one hash only, so that a new password counts at
    /// once.
    fn pair(&self, credentials: &BasicCredentials, hash: &str) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [&*credentials.user, &*credentials.password, hash] {
            // No part holds a NUL: what ends one cannot be in it.
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

fn busy() -> Error {
    let status = StatusCode::TOO_MANY_REQUESTS;
    Error::client(status, "auth_busy", "too many passwords are being checked, try again")
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}
