//! Who asks.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use portway_config::{
    Admin, AdminCertificate, Authentication, Problem, Role,
    credential::{BasicCredentials, Unusable, Verified, scheme},
};

use super::{
    Blocking, Clock, Peer, Refusal,
    door::Door,
    identify::{Jwt, Vouched, by_certificate},
    logins::Logins,
    passwords::Passwords,
    rights::{By, Grant, Who},
    tokens::{self, Tokens},
};

/// How long a password that was right is taken again without hashing it.
const REMEMBERED: Duration = Duration::from_secs(60);
/// When to come back where too much is being hashed.
const BUSY: Duration = Duration::from_secs(1);

/// Lets people in, or does not. One is made for each configuration, out of the one before.
pub struct Guard {
    door: Door,
    is_open: bool,
    passwords: Passwords,
    jwt: Option<Jwt>,
    certificates: Box<[AdminCertificate]>,
    challenges: Box<[HeaderValue]>,
    surroundings: Surroundings,
    memory: Arc<Memory>,
}

/// What a guard needs of the process.
#[derive(Clone)]
pub struct Surroundings {
    /// Where tokens of the API are kept.
    pub tokens: Arc<dyn Tokens>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where passwords are hashed.
    pub blocking: Arc<dyn Blocking>,
}

/// Somebody who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Who it is.
    pub who: Who,
    /// The address they ask from.
    pub client: IpAddr,
}

/// What outlives a configuration.
#[derive(Debug)]
struct Memory {
    logins: Logins,
    verified: Arc<Verified>,
}

/// Why a password was not looked at.
enum Unheard {
    /// Too many have failed.
    Wait(Duration),
    /// Too many are being looked at.
    Busy,
}

impl Guard {
    /// The guard of a configuration.
    ///
    /// # Errors
    /// A key for tokens is none. A configuration that was checked has no such key.
    pub fn new(admin: &Admin, surroundings: Surroundings) -> Result<Self, Problem> {
        let memory = Memory { logins: Logins::default(), verified: Verified::new(REMEMBERED) };
        Self::with(admin, surroundings, Arc::new(memory))
    }

    /// The guard of the next configuration. It knows who has failed under this one.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn renewed(&self, admin: &Admin) -> Result<Self, Problem> {
        Self::with(admin, self.surroundings.clone(), Arc::clone(&self.memory))
    }

    fn with(
        admin: &Admin,
        surroundings: Surroundings,
        memory: Arc<Memory>,
    ) -> Result<Self, Problem> {
        let access = &admin.access;
        let passwords = Passwords::new(&access.basic);
        let bearer = HeaderValue::from_static("Bearer realm=\"portway\"");
        let basic = HeaderValue::from_static("Basic realm=\"portway\", charset=\"UTF-8\"");
        let basic = Some(basic).filter(|_| !passwords.is_empty());
        Ok(Self {
            door: Door::new(admin),
            is_open: access.authentication == Authentication::None,
            challenges: [bearer].into_iter().chain(basic).collect(),
            passwords,
            jwt: access.jwt.as_ref().map(Jwt::new).transpose()?,
            certificates: access.certificates.clone().into(),
            surroundings,
            memory,
        })
    }

    /// Whether the configuration itself lets somebody in who may do everything. If not, it takes a
    /// token.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        let by_certificate = self.certificates.iter();
        let mut by_certificate = by_certificate.map(|line| (line.role, &line.namespaces));
        self.is_open
            || self.jwt.is_some()
            || self.passwords.has_full()
            || by_certificate.any(|(role, within)| Grant::of(role).within(within.clone()).is_full())
    }

    /// Whether this client is heard at all, whoever it is: for what is shown to everybody. It says
    /// from which address it asks.
    ///
    /// # Errors
    /// The answer that keeps it out.
    pub fn hear(&self, head: &Parts, peer: &Peer<'_>) -> Result<IpAddr, Refusal> {
        self.door.pass(head, peer)
    }

    /// The fields of the answer to a browser that asks whether a page may ask (CORS). `None` for
    /// any other request.
    ///
    /// # Errors
    /// The page may not.
    pub fn preflight(&self, head: &Parts, peer: &Peer<'_>) -> Result<Option<HeaderMap>, Refusal> {
        if !Door::is_preflight(head) {
            return Ok(None);
        }
        self.door.pass(head, peer)?;
        Ok(Some(self.cors(head).unwrap_or_default()))
    }

    /// Fields of the answer to a request for a page whose origin is allowed.
    #[must_use]
    pub fn cors(&self, head: &Parts) -> Option<HeaderMap> {
        self.door.cors(head)
    }

    /// Who asks.
    ///
    /// # Errors
    /// The answer that keeps them out.
    pub async fn admit(&self, head: &Parts, peer: &Peer<'_>) -> Result<Admission, Refusal> {
        let client = self.door.pass(head, peer)?;
        let who = if self.is_open {
            Who { name: "nobody".into(), by: By::Nothing, grant: Grant::of(Role::Admin) }
        } else {
            self.identify(head, peer, client).await?
        };
        Ok(Admission { who, client })
    }

    async fn identify(
        &self,
        head: &Parts,
        peer: &Peer<'_>,
        client: IpAddr,
    ) -> Result<Who, Refusal> {
        let mut lines = head.headers.get_all(header::AUTHORIZATION).iter();
        let (line, second) = (lines.next(), lines.next());
        if second.is_some() {
            let detail = "there is more than one set of credentials";
            return Err(self.unauthenticated("ambiguous_credentials", detail));
        }
        let Some(line) = line else {
            // What somebody says counts before what their connection says.
            let shown = peer.certificate.as_ref();
            let who = shown.and_then(|shown| by_certificate(&self.certificates, shown));
            let detail = "credentials are needed: a token, or whatever admin.access names";
            return who.ok_or_else(|| self.unauthenticated("unauthenticated", detail));
        };
        if let Some(token) = scheme(line.as_bytes(), b"bearer") {
            return self.bearer(token, client).await;
        }
        match BasicCredentials::of(&head.headers) {
            Ok(credentials) => self.password(credentials, client).await,
            Err(Unusable::Refused(error)) => {
                Err(Refusal::new(StatusCode::BAD_REQUEST, error.code(), error.message().to_owned()))
            }
            Err(Unusable::Missing | Unusable::Ambiguous) => {
                let detail = "credentials of this kind are not taken";
                Err(self.unauthenticated("unauthenticated", detail))
            }
        }
    }

    /// Tokens cannot be guessed, so a good one is taken even from where others have failed.
    async fn bearer(&self, token: &[u8], client: IpAddr) -> Result<Who, Refusal> {
        let Surroundings { tokens, clock, .. } = &self.surroundings;
        if tokens::is_ours(token) {
            let bearer = tokens::bearer(&**tokens, token, clock.now().into()).await?;
            // The first token is for where nobody else lets anybody in.
            let bearer = bearer.filter(|who| who.by != By::FirstToken || !self.has_admin());
            return bearer.ok_or_else(|| self.failed_token(client, "the token is not good"));
        }
        let Some(jwt) = &self.jwt else {
            return Err(self.failed_token(client, "the token is not good"));
        };
        let now = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match jwt.vouch(token, now) {
            Vouched::For(who) => Ok(who),
            Vouched::WithoutRole => {
                Err(Refusal::forbidden("forbidden", "the token gives its bearer no role here"))
            }
            Vouched::NotAtAll(why) => Err(self.failed_token(client, why)),
        }
    }

    fn failed_token(&self, client: IpAddr, why: &'static str) -> Refusal {
        let now = self.surroundings.clock.elapsed();
        if let Err(wait) = self.memory.logins.count(client, now) {
            return Refusal::too_many(wait);
        }
        let mut refusal = self.unauthenticated("invalid_token", why);
        let challenge = "Bearer realm=\"portway\", error=\"invalid_token\"";
        refusal.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        refusal
    }

    /// Passwords can be guessed, so nobody is heard who was wrong too often, right or not.
    async fn password(
        &self,
        credentials: BasicCredentials,
        client: IpAddr,
    ) -> Result<Who, Refusal> {
        let Memory { logins, verified } = &*self.memory;
        let Surroundings { clock, blocking, .. } = &self.surroundings;
        let now = clock.elapsed();
        logins.heard(client, now).map_err(Refusal::too_many)?;
        let wrong = || {
            let detail = "the name or the password is wrong";
            self.unauthenticated("invalid_credentials", detail)
        };
        // Where nobody has a password, there is no name to keep secret.
        let attempt = self.passwords.attempt(&credentials).ok_or_else(wrong)?;
        let BasicCredentials { user, password } = credentials;
        let is_right = if verified.known(&attempt.pair, now).is_some() {
            true
        } else {
            let counted = AtomicBool::new(false);
            let run = |work| {
                let heard = logins.count(client, now).map_err(Unheard::Wait);
                counted.store(heard.is_ok(), Relaxed);
                let runs = heard.and_then(|()| match blocking.run(work) {
                    true => Ok(()),
                    false => Err(Unheard::Busy),
                });
                std::future::ready(runs)
            };
            let looked = verified.check(attempt.pair, now, attempt.matches(password), run).await;
            // A guess that nobody looked at, or that was right, is no failure.
            if counted.load(Relaxed) && !matches!(looked, Ok(false)) {
                logins.forgive(client);
            }
            looked.map_err(|unheard| match unheard {
                Unheard::Wait(wait) => Refusal::too_many(wait),
                Unheard::Busy => Refusal::too_many(BUSY),
            })?
        };
        match attempt.grant.filter(|_| is_right) {
            Some(grant) => Ok(Who { name: user, by: By::Basic, grant: grant.clone() }),
            None => Err(wrong()),
        }
    }

    fn unauthenticated(&self, code: &'static str, detail: &'static str) -> Refusal {
        Refusal::unauthenticated(code, detail, &self.challenges)
    }
}

impl From<portway_config::Busy> for Unheard {
    fn from(_: portway_config::Busy) -> Self {
        Self::Busy
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("door", &self.door).finish_non_exhaustive()
    }
}
