//! The compiled form.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderValue, StatusCode, header};
use portway_plugin::{
    Counter, CredentialKind, Error, Exchange, Host, IDENTITY_FIELDS, Next, PerCore, Plugin,
    Problem, Request, Response, Result, Side,
    credential::{Algorithm, Checks, Digest, Key, Recent, Refused, Token},
};

use super::{
    JwtSpec,
    ring::Ring,
    verified::{By, Telling, Verified, end},
};
use crate::identity::{Carrier, Gate, challenge, find, hide, introduce, is_framing};

/// Lets in who has a token.
#[derive(Debug)]
pub struct Jwt {
    gate: Gate,
    carriers: Box<[Carrier]>,
    keys: Box<[Key]>,
    consumers: bool,
    ring: Option<Arc<Ring>>,
    checks: Checks,
    telling: Telling,
    invalid: HeaderValue,
    cache: usize,
    process: OnceLock<Process>,
}

/// What is there once the gateway runs.
#[derive(Debug)]
struct Process {
    recent: PerCore<Mutex<Recent<Arc<Verified>>>>,
    /// Tokens that were verified, rather than remembered.
    verified: Counter,
}

/// Why a token does not let its bearer in.
enum Turned {
    Refused(Refused),
    /// The keys that could tell are not here.
    NoKeys,
}

impl Plugin for Jwt {
    const NAME: &'static str = "jwt";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = JwtSpec;

    fn create(spec: JwtSpec) -> Result<Self, Problem> {
        let keys = spec.keys.iter().enumerate().map(|(number, key)| {
            Key::of(key).map_err(|problem| {
                let dot = if problem.path.is_empty() { "" } else { "." };
                let path = format!("keys[{number}]{dot}{}", problem.path);
                problem.at(path)
            })
        });
        let keys = keys.collect::<Result<Box<[_]>, _>>()?;
        check(&spec)?;
        let invalid = challenge("Bearer", &spec.realm, ", error=\"invalid_token\"");
        let consumers = spec.consumers.unwrap_or(keys.is_empty() && spec.jwks.is_none());
        Ok(Self {
            gate: Gate::new(&spec.identity, challenge("Bearer", &spec.realm, "")),
            carriers: carriers(&spec)?,
            keys,
            consumers,
            checks: checks(&spec),
            telling: Telling::new(&spec),
            ring: spec.jwks.map(Ring::new),
            invalid,
            cache: usize::try_from(spec.cache).unwrap_or(usize::MAX),
            process: OnceLock::new(),
        })
    }

    async fn start(&self, host: &Host) {
        if let Some(ring) = &self.ring {
            ring.start(host).await;
        }
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if self.gate.lets_pass(&mut request, exchange) {
            self.telling.strip(request.headers_mut());
            return next.run(request).await;
        }
        let found = find(&self.carriers, &request)
            .map_err(|_| self.refusal(Refused("there is more than one token")))?;
        let Some((carrier, token)) = found else {
            self.telling.strip(request.headers_mut());
            self.gate.stranger(request.headers_mut(), exchange)?;
            return next.run(request).await;
        };
        let verified = self.verified(&token, exchange, next.host()).await;
        let verified = verified.map_err(|turned| match turned {
            Turned::Refused(why) => self.refusal(why),
            Turned::NoKeys => no_keys(),
        })?;
        if self.gate.hides() {
            hide(carrier, &mut request);
        }
        let headers = request.headers_mut();
        self.telling.strip(headers);
        for (name, value) in &verified.fields {
            headers.insert(name, value.clone());
        }
        introduce(headers, exchange, &verified.consumer);
        next.run(request).await
    }
}

impl Jwt {
    async fn verified(
        &self,
        token: &[u8],
        exchange: &Exchange<'_>,
        host: &Host,
    ) -> Result<Arc<Verified>, Turned> {
        let process = self.process.get_or_init(|| Process {
            recent: host.per_core(|| Mutex::new(Recent::new(self.cache))),
            verified: host.counter("verified"),
        });
        let recent = process.recent.get(exchange);
        let mut key = Digest::default();
        key.copy_from_slice(digest(&SHA256, token).as_ref());
        let now = host.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let known = recent.lock().unwrap_or_else(PoisonError::into_inner).get(&key, now);
        if let Some(known) = known
            && known.is_current(self.ring.as_ref(), exchange.consumers(), host)
        {
            return Ok(known);
        }
        process.verified.add_one();
        let token = Token::read(token).map_err(Turned::Refused)?;
        let by = self.signer(&token, exchange, host).await?;
        let (verified, end) = self.look_at(token, by, now).map_err(Turned::Refused)?;
        let verified = Arc::new(verified);
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.put(key, Arc::clone(&verified), end);
        Ok(verified)
    }

    /// Whose key has signed the token.
    async fn signer(
        &self,
        token: &Token<'_>,
        exchange: &Exchange<'_>,
        host: &Host,
    ) -> Result<By, Turned> {
        const UNKNOWN: Turned = Turned::Refused(Refused("the token's key is not known"));
        const WRONG: Turned = Turned::Refused(Refused("the token's signature is wrong"));
        let mut known = false;
        if let Some(is_by) = token.is_by_one(&self.keys) {
            if is_by {
                return Ok(By::Spec);
            }
            known = true;
        }
        if let Some((by, is_by)) = self.consumer(token, exchange) {
            if is_by {
                return Ok(by);
            }
            known = true;
        }
        let Some(ring) = &self.ring else { return Err(if known { WRONG } else { UNKNOWN }) };
        let mut asked = false;
        loop {
            let keys = ring.current(host);
            let signed = keys.as_ref().map(|keys| (token.is_by_one(&keys.keys), keys.generation));
            match signed {
                Some((Some(true), generation)) => return Ok(By::Ring(generation)),
                Some((Some(false), _)) => return Err(WRONG),
                Some((None, _)) if known => return Err(WRONG),
                Some((None, _)) if asked => return Err(UNKNOWN),
                None if asked => return Err(Turned::NoKeys),
                // It may be new.
                _ => ring.fetched(host, false).await,
            }
            asked = true;
        }
    }

    /// The consumer whose key the token names, and whether it has signed it.
    fn consumer(&self, token: &Token<'_>, exchange: &Exchange<'_>) -> Option<(By, bool)> {
        let names = [token.key.as_deref(), token.issuer()].into_iter().flatten();
        let credential = names
            .filter(|_| self.consumers)
            .find_map(|name| exchange.consumers().get(CredentialKind::Jwt, name))?;
        let algorithm = Algorithm::named(credential.algorithm.as_deref()?)?;
        if algorithm != token.algorithm {
            return None;
        }
        // Its id need not be the token's `kid`: it may be its issuer.
        let key = Key::of_consumer(algorithm, &credential.secret).ok()?;
        let by = By::Consumer(credential.id.clone(), Arc::clone(&credential.consumer));
        Some((by, token.is_by(&key)))
    }

    fn look_at(
        &self,
        token: Token<'_>,
        by: By,
        now: Duration,
    ) -> Result<(Verified, Duration), Refused> {
        let expiry = self.checks.pass(&token.claims, now.as_secs_f64())?;
        let verified = self.telling.of(token.claims, token.key, by)?;
        Ok((verified, end(expiry, now)))
    }

    fn refusal(&self, Refused(why): Refused) -> Error {
        Error::client(StatusCode::UNAUTHORIZED, "invalid_token", why)
            .with_header(header::WWW_AUTHENTICATE, self.invalid.clone())
    }
}

/// What a token has to claim.
fn checks(spec: &JwtSpec) -> Checks {
    Checks {
        issuers: spec.issuers.clone().into(),
        audiences: spec.audiences.clone().into(),
        leeway: spec.leeway.get(),
        require_expiry: spec.require_expiry,
        required: spec.required_claims.clone(),
    }
}

fn no_keys() -> Error {
    let message = "the keys for tokens are not available";
    Error::new(Side::Gateway, StatusCode::SERVICE_UNAVAILABLE, "jwks_unavailable", message)
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

fn carriers(spec: &JwtSpec) -> Result<Box<[Carrier]>, Problem> {
    let bearer = spec.bearer.then_some(Carrier::Bearer);
    let headers = spec.header_names.iter().map(|name| Carrier::Header(name.get().clone()));
    let cookies = spec.cookie_names.iter().cloned().map(Carrier::Cookie);
    let query = spec.query_names.iter().cloned().map(Carrier::Query);
    let carriers: Box<[_]> =
        bearer.into_iter().chain(headers).chain(cookies).chain(query).collect();
    if carriers.is_empty() {
        return Err(Problem::new("bad_value", "there is no place a token may come in").at("bearer"));
    }
    Ok(carriers)
}

/// What no field of its own can tell.
fn check(spec: &JwtSpec) -> Result<(), Problem> {
    if spec.consumers == Some(false) && spec.keys.is_empty() && spec.jwks.is_none() {
        let problem = Problem::new("bad_value", "there are no keys, so no token is good");
        return Err(problem.at("keys").hint("give keys or jwks, or leave consumers out"));
    }
    let jwks = spec.jwks.iter().flat_map(|jwks| jwks.algorithms.iter().enumerate());
    for (number, algorithm) in jwks {
        if algorithm.is_symmetric() {
            let name = algorithm.name();
            let what = format!("{name} has shared secrets, which nobody publishes");
            let problem = Problem::new("bad_value", what);
            return Err(problem.at(format!("jwks.algorithms[{number}]")));
        }
    }
    if spec.jwks.as_ref().is_some_and(|jwks| jwks.algorithms.is_empty()) {
        return Err(Problem::new("bad_value", "no algorithm is taken").at("jwks.algorithms"));
    }
    for (what, wrong) in [
        ("jwks.refresh", spec.jwks.as_ref().is_some_and(|jwks| jwks.refresh.is_zero())),
        ("jwks.timeout", spec.jwks.as_ref().is_some_and(|jwks| jwks.timeout.is_zero())),
        ("jwks.cooldown", spec.jwks.as_ref().is_some_and(|jwks| jwks.cooldown.is_zero())),
    ] {
        if wrong {
            return Err(Problem::new("bad_value", "it has to be more than nothing").at(what));
        }
    }
    for name in spec.claims_to_headers.keys() {
        if is_framing(name.get()) || IDENTITY_FIELDS.contains(name.get()) {
            let what = format!("{name} is not a field for claims");
            let problem = Problem::new("bad_value", what).at(format!("claims_to_headers.{name}"));
            return Err(problem.hint("use a name of your own, such as x-tenant"));
        }
    }
    Ok(())
}
