//! What is known of a request while it is served.

use std::{
    any::{Any, TypeId},
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use http::Version;

use crate::{Consumer, Consumers, Note, Notes};

/// One request and its answer, as plugins share it: facts that the gateway knows, who the client
/// turned out to be, what plugins leave for each other and for the access record.
pub struct Exchange<'a> {
    facts: &'a (dyn Facts + 'a),
    consumer: OnceLock<Arc<Consumer>>,
    /// Made when a plugin leaves something: for most requests none does.
    left: OnceLock<Box<Left>>,
}

/// What plugins leave for each other and for the access record.
#[derive(Default)]
struct Left {
    assumed: OnceLock<Arc<Consumer>>,
    marks: Mutex<Vec<Box<str>>>,
    slots: Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>,
    notes: Notes,
}

/// What the gateway knows of a request. Whoever hosts plugins implements it; plugins read it from
/// the [`Exchange`]. Everything is worked out when it is asked for.
pub trait Facts: Send + Sync {
    /// The name of the listener the request came by.
    fn listener(&self) -> &str;
    /// The name of the route that takes it. `None` when none does.
    fn route(&self) -> Option<&str>;
    /// The name of the service it is for. `None` for an answer of the gateway's own.
    fn service(&self) -> Option<&str>;
    /// The path, host and so on that the route matched by, as it was written.
    fn pattern(&self) -> Option<String>;
    /// What a placeholder of the route stands for.
    fn parameter(&self, name: &str) -> Option<String>;
    /// The host the client asked for, without a port, in lower case.
    fn host(&self) -> &str;
    /// The path in its normal form (RFC 3986 section 6.2.2), by which the route was found.
    fn path(&self) -> &str;
    /// The address of the other end of the connection.
    fn socket(&self) -> SocketAddr;
    /// The client's address: the socket's, or what a trusted proxy says it is.
    fn client(&self) -> IpAddr;
    /// `http` or `https`.
    fn scheme(&self) -> &'static str;
    /// What is known of the connection's TLS. `None` without TLS.
    fn tls(&self) -> Option<Tls<'_>>;
    /// The version of HTTP the client speaks.
    fn protocol(&self) -> Version;
    /// The request's id, which the client and the upstream see too.
    fn request_id(&self) -> &str;
    /// When the head of the request had come.
    fn arrival(&self) -> SystemTime;
    /// The number of the core that serves it, from 0.
    fn core(&self) -> usize;
    /// The consumers of the configuration the request is served by.
    fn consumers(&self) -> &Consumers;
    /// What came of sending it to an upstream, so far.
    fn outcome(&self) -> Outcome;
}

/// What is known of a connection under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls<'a> {
    /// `TLSv1.3`, or `TLSv1.2`.
    pub version: &'a str,
    /// The cipher suite, by its name in the IANA registry.
    pub cipher: &'a str,
    /// The name the client asked for (SNI).
    pub sni: Option<&'a str>,
    /// The client's certificate, which was verified.
    pub client: Option<ClientCertificate<'a>>,
}

/// Who a client has proved to be by a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate<'a> {
    /// The subject, as RFC 4514 writes it.
    pub subject: &'a str,
    /// The SHA-256 of the certificate, in lower-case hexadecimal digits.
    pub fingerprint: &'a str,
    /// The DNS names among its alternative names.
    pub dns: &'a [Box<str>],
    /// The URIs among its alternative names.
    pub uris: &'a [Box<str>],
}

/// What came of sending a request to an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The endpoint that was asked last.
    pub endpoint: Option<String>,
    /// How many times an endpoint was asked.
    pub tries: u32,
    /// From the first byte sent to the head of the answer. `None` before there is one.
    pub upstream_time: Option<Duration>,
}

impl<'a> Exchange<'a> {
    /// An exchange of which nothing is known but facts.
    #[must_use]
    pub fn new(facts: &'a (dyn Facts + 'a)) -> Self {
        Self { facts, consumer: OnceLock::new(), left: OnceLock::new() }
    }

    /// Who asks, where a plugin has found out; else whom they [count as](Self::assume).
    #[must_use]
    pub fn consumer(&self) -> Option<&Arc<Consumer>> {
        self.consumer.get().or_else(|| self.left.get()?.assumed.get())
    }

    /// Whether a plugin has found out who asks.
    #[must_use]
    pub fn is_identified(&self) -> bool {
        self.consumer.get().is_some()
    }

    /// Says who asks. The first plugin that says so is believed; `false` to those after it.
    pub fn identify(&self, consumer: Arc<Consumer>) -> bool {
        self.consumer.set(consumer).is_ok()
    }

    /// Says whom a client counts as that shows nothing, until a plugin further in finds out who it
    /// is. The first plugin that says so is believed; `false` to those after it.
    pub fn assume(&self, consumer: Arc<Consumer>) -> bool {
        self.left().assumed.set(consumer).is_ok()
    }

    /// Marks the request, for the `when` of plugins further in.
    pub fn mark(&self, name: &str) {
        let mut marks = self.left().marks.lock().unwrap_or_else(PoisonError::into_inner);
        if !marks.iter().any(|mark| **mark == *name) {
            marks.push(name.into());
        }
    }

    /// Whether the request has been marked so.
    #[must_use]
    pub fn is_marked(&self, name: &str) -> bool {
        let Some(left) = self.left.get() else { return false };
        let marks = left.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.iter().any(|mark| **mark == *name)
    }

    /// All marks of the request.
    #[must_use]
    pub fn marks(&self) -> Vec<Box<str>> {
        let Some(left) = self.left.get() else { return Vec::new() };
        left.marks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves something for plugins that come later, and for this one on the way back: one value
    /// of each type.
    pub fn put<T: Send + Sync + 'static>(&self, value: T) {
        let (id, value) = (TypeId::of::<T>(), Arc::new(value));
        let mut slots = self.left().slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.iter_mut().find(|(other, _)| *other == id) {
            Some((_, slot)) => *slot = value,
            None => slots.push((id, value)),
        }
    }

    /// What was left of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let slots = self.left.get()?.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, slot) = slots.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        Arc::clone(slot).downcast().ok()
    }

    /// What plugins have noted for the access record.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.left().notes
    }

    /// Takes what plugins have noted so far.
    #[must_use]
    pub fn take_notes(&self) -> Vec<Note> {
        self.left.get().map_or_else(Vec::new, |left| left.notes.take())
    }

    fn left(&self) -> &Left {
        self.left.get_or_init(Box::default)
    }
}

/// The facts are read as if they were the exchange's own.
impl<'a> std::ops::Deref for Exchange<'a> {
    type Target = dyn Facts + 'a;

    fn deref(&self) -> &Self::Target {
        self.facts
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("route", &self.facts.route())
            .field("consumer", &self.consumer())
            .finish_non_exhaustive()
    }
}
