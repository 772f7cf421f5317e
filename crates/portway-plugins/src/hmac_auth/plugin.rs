//! The compiled form.

use std::time::SystemTime;

use aws_lc_rs::hmac;
use http::{HeaderName, header};
use portway_plugin::{
    CredentialKind, Error, Exchange, Next, Plugin, Problem, Request, RequestExt, Response, Result,
    value::Quoted,
};

use super::{
    HmacAuthSpec, HmacMode, body, draft,
    signed::{self, Signed, Unusable, covers},
    standard,
};
use crate::identity::{Gate, challenge, introduce};

/// Fields that hold a digest of the body.
const DIGESTS: [&str; 2] = ["content-digest", "digest"];

/// Lets in who signs requests.
#[derive(Debug)]
pub struct HmacAuth {
    gate: Gate,
    mode: HmacMode,
    required: Box<[String]>,
    max_age: i64,
    leeway: i64,
    require_digest: bool,
    max_body: usize,
}

impl Plugin for HmacAuth {
    const NAME: &'static str = "hmac-auth";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = HmacAuthSpec;

    fn create(spec: HmacAuthSpec) -> Result<Self, Problem> {
        let (derived, default): (&[&str], &[&str]) = match spec.mode {
            HmacMode::Standard => (&signed::DERIVED, &["@method", "@authority", "@path", "@query"]),
            HmacMode::Draft => (&draft::DERIVED, &["(request-target)", "host"]),
        };
        let default = || default.iter().map(|part| (*part).to_owned()).collect();
        let required = spec.required.unwrap_or_else(default);
        for (number, part) in required.iter().enumerate() {
            let is_field =
                || HeaderName::from_bytes(part.as_bytes()).is_ok_and(|name| name.as_str() == part);
            if !derived.contains(&part.as_str()) && !is_field() {
                let what = format!("{} is no part of a request", Quoted(part));
                let problem = Problem::new("unknown_value", what).at(format!("required[{number}]"));
                let hint =
                    format!("there are {}, and header fields in lower case", derived.join(", "));
                return Err(problem.hint(hint));
            }
        }
        if spec.max_age.is_zero() {
            let problem = Problem::new("bad_value", "no signature is young enough");
            return Err(problem.at("max_age").hint("write 5m"));
        }
        let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Ok(Self {
            gate: Gate::new(&spec.identity, challenge("Signature", &spec.realm, "")),
            mode: spec.mode,
            required: required.into(),
            max_age: seconds(spec.max_age.get()),
            leeway: seconds(spec.leeway.get()),
            require_digest: spec.require_digest,
            max_body: usize::try_from(spec.max_body.get()).unwrap_or(usize::MAX),
        })
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if self.gate.lets_pass(&mut request, exchange) {
            return next.run(request).await;
        }
        let read = match self.mode {
            HmacMode::Standard => standard::read(&request, exchange),
            HmacMode::Draft => draft::read(&request, exchange),
        };
        let signed = match read {
            Ok(signed) => signed,
            Err(Unusable::Ambiguous) => return Err(self.gate.ambiguous()),
            Err(Unusable::Refused(why)) => return Err(self.refusal(why)),
            Err(Unusable::Missing) => {
                self.gate.stranger(request.headers_mut(), exchange)?;
                return next.run(request).await;
            }
        };
        let now = next.host().now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.look_at(&signed, now).map_err(|why| self.refusal(why))?;
        let consumer = self.signer(&signed, exchange)?;
        self.check_body(&signed, &mut request).await?;
        if self.gate.hides() {
            self.hide(&mut request);
        }
        introduce(request.headers_mut(), exchange, &consumer);
        next.run(request).await
    }
}

impl HmacAuth {
    /// Whether it covers enough, and is neither too old nor of the future.
    fn look_at(&self, signed: &Signed, now: i64) -> Result<(), &'static str> {
        if !self.required.iter().all(|part| covers(&signed.covered, part)) {
            return Err("the signature does not cover all that it must");
        }
        let created = signed.created.ok_or("the signature does not say when it was made")?;
        if created > now.saturating_add(self.leeway) {
            return Err("the signature is of the future");
        }
        let age = now.saturating_sub(created);
        let end = signed.expires.map(|expires| expires.saturating_add(self.leeway));
        if age > self.max_age.saturating_add(self.leeway) || end.is_some_and(|end| now > end) {
            return Err("the signature is too old");
        }
        Ok(())
    }

    /// Whose secret has signed it. A key that nobody has is told from a wrong signature neither in
    /// words nor by the time it takes.
    fn signer(
        &self,
        signed: &Signed,
        exchange: &Exchange<'_>,
    ) -> Result<std::sync::Arc<portway_plugin::Consumer>> {
        let credential = exchange.consumers().get(CredentialKind::Hmac, &signed.key);
        let secret = credential.map_or("nobody has this secret", |credential| &credential.secret);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let right = hmac::verify(&key, signed.base.as_bytes(), &signed.signature).is_ok();
        match credential.filter(|_| right) {
            Some(credential) => Ok(credential.consumer.clone()),
            None => Err(self.refusal("the signature is wrong")),
        }
    }

    async fn check_body(&self, signed: &Signed, request: &mut Request) -> Result<()> {
        let digests = DIGESTS.into_iter().filter(|name| covers(&signed.covered, name));
        let digests: Vec<_> = digests.collect();
        if digests.is_empty() && !self.require_digest {
            return Ok(());
        }
        let bytes = request.buffer(self.max_body).await?;
        if digests.is_empty() && !bytes.is_empty() {
            return Err(self.refusal("the signature does not cover a digest of the body"));
        }
        for name in digests {
            let field = signed::field(name, request.headers()).unwrap_or_default();
            if !body::matches(name, &field, &bytes) {
                return Err(self.refusal("the digest is not of the body"));
            }
        }
        Ok(())
    }

    fn hide(&self, request: &mut Request) {
        let headers = request.headers_mut();
        headers.remove(standard::SIGNATURE);
        match self.mode {
            HmacMode::Standard => drop(headers.remove(standard::INPUT)),
            HmacMode::Draft => drop(headers.remove(header::AUTHORIZATION)),
        }
    }

    fn refusal(&self, why: &'static str) -> Error {
        self.gate.refusal("invalid_signature", why)
    }
}
