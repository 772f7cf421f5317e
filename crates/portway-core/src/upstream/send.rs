//! Sends a request to an upstream, and again where nobody can have seen it.
//!
//! - A connection that cannot be made: the next address, the next endpoint, whatever the method.
//! - An idle connection that turns out to be closed before a byte was written: a fresh one,
//!   whatever the method.
//! - One that closes after bytes were written: a fresh one, once, for a method that may be
//!   repeated (RFC 9110 section 9.2.2) and a request without a body. A POST is never sent twice.

use std::{mem, sync::atomic::Ordering::Relaxed};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header, uri::PathAndQuery};
use portway_config::{
    HostPolicy, StageTimeouts,
    balance::Asked,
    value::{EndpointScheme, HttpVersion},
};
use portway_http1::head::MoreFields;
use portway_plugin::{Body, Error, Response, Side};
use tokio::time::Instant;

use super::{
    Address, Lane,
    connect::{Connected, connect},
    dial::{Choice, Spent},
    endpoint::Speech,
    lane::{Berth, Counted},
};
use crate::{
    balance::{Ask, Permit},
    driver::{
        Again, Answer, Connection, Failed, Interim, Multiplexed, Options, Shake, UpstreamUpgrade,
        ask_tunnel, exchange,
    },
    tls::Offer,
};

const SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");

/// The most endpoints one request is offered to.
pub(crate) const MAX_ENDPOINTS: usize = 3;

/// A request to be sent, and how.
pub(crate) struct Call<'a> {
    pub(crate) lane: &'a Lane,
    pub(crate) target: PathAndQuery,
    pub(crate) host: &'a HostPolicy,
    /// What may decide which endpoint takes it.
    pub(crate) asked: &'a dyn Asked,
    /// The host the client asked for.
    pub(crate) client_host: Option<&'a HeaderValue>,
    pub(crate) stages: StageTimeouts,
    /// Hears which endpoint was chosen, each time one is.
    pub(crate) chosen: &'a (dyn Fn(usize) + Sync),
    /// Where interim answers go.
    pub(crate) interim: Interim<'a>,
    /// What is added to the head beyond the request's own fields.
    pub(crate) fields: MoreFields<'a>,
    /// Whether the answer's header names are passed on as they are spelled.
    pub(crate) keep_spelling: bool,
    /// What a fresh connection begins with.
    pub(crate) introduction: Option<Bytes>,
    /// Whether the request asks for an upgrade.
    pub(crate) upgrade: bool,
    /// Which HTTP is spoken, in place of what the service says.
    pub(crate) version: Option<HttpVersion>,
    /// What time it is, near enough.
    pub(crate) now: Instant,
}

/// What was tried so far: kept by the exchange, so that it is known when the call is dropped.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    pub(crate) count: u32,
    pub(crate) endpoint: Option<usize>,
    /// The endpoint to be tried and no other, where it was chosen before, and its permit.
    pub(crate) only: Option<(usize, Option<Permit>)>,
    /// When the last try began.
    pub(crate) started: Option<Instant>,
}

/// An answer that came, before its body is read.
pub(crate) struct Sent {
    answer: Answer<Berth>,
    /// To be kept until the answer's last byte.
    pub(crate) permit: Option<Permit>,
}

/// One connection that was chosen for one try.
struct Line {
    connection: Chosen,
    endpoint: usize,
    reused: bool,
    permit: Option<Permit>,
}

/// A connection for one exchange, or one that is shared.
enum Chosen {
    Own(Counted, Address),
    Shared(Multiplexed),
}

impl Call<'_> {
    /// Sends `request`, whose target and `Host` are set here, since they depend on the endpoint.
    pub(crate) async fn send(
        &self,
        request: &mut Request<Body>,
        tries: &mut Tries,
    ) -> Result<Sent, Error> {
        let repeatable = request.method().is_idempotent();
        let mut spent = Spent::new();
        let mut fresh = false;
        let mut last = None;
        loop {
            let ask = Ask { of: self.asked, headers: Some(request.headers()) };
            let line = match self.open(&mut spent, repeatable, fresh, tries, ask).await {
                Ok(line) => line,
                Err(error) => return Err(last.unwrap_or(error)),
            };
            self.address(request, line.endpoint)?;
            let Line { connection, endpoint, reused, mut permit } = line;
            let options = Options {
                now: tries.started,
                wait: self.stages.response_header,
                interim: Some(self.interim),
                fields: Some(self.fields),
                keep_spelling: self.keep_spelling,
                ..Options::default()
            };
            let failed = match self.exchange(connection, endpoint, request, options).await {
                Ok(answer) => {
                    permit.iter_mut().for_each(|permit| permit.answered(Some(answer.status())));
                    return Ok(Sent { answer, permit });
                }
                Err(failed) => failed,
            };
            let may_send_again = match failed.again {
                Again::Always | Again::Refused => true,
                Again::IfRepeatable => reused && repeatable,
                Again::Never => false,
            };
            // A connection that was closed while it was idle says nothing about the endpoint.
            let was_idle = may_send_again && reused && !fresh;
            if !was_idle
                && failed.error.side() == Side::Upstream
                && let Some(permit) = &mut permit
            {
                permit.failed(failed.error.code());
            }
            if !may_send_again {
                return Err(failed.error);
            }
            self.lane.cells.retried();
            if was_idle {
                fresh = true;
            } else {
                // Also where others have opened a connection meanwhile that refuses as well.
                spent.push(endpoint);
                last = Some(failed.error);
            }
        }
    }

    async fn exchange(
        &self,
        connection: Chosen,
        endpoint: usize,
        request: &mut Request<Body>,
        options: Options<'_>,
    ) -> Result<Answer<Berth>, Box<Failed>> {
        let idle = self.lane.idle(endpoint);
        match connection {
            Chosen::Own(connection, address) => {
                let (connection, berth) = connection.berth(idle, address);
                exchange(connection, berth, request, options).await
            }
            // On the heap: most upstreams do without, and every request would carry it.
            Chosen::Shared(connection) => {
                let scheme = self.lane.upstream.endpoints[endpoint].scheme;
                let shake = Shake { secure: scheme == EndpointScheme::Https };
                if self.upgrade {
                    as_connect(request);
                }
                let exchanged = Box::pin(connection.exchange(request, shake, options)).await;
                let parts = [Again::Always, Again::IfRepeatable];
                if exchanged.as_ref().is_err_and(|failed| parts.contains(&failed.again)) {
                    idle.part(&connection);
                }
                exchanged.map(|answer| Answer::Http2(Box::new(answer)))
            }
        }
    }

    /// An idle connection, else a fresh one, to an endpoint that was not spent yet.
    async fn open(
        &self,
        spent: &mut Spent,
        repeatable: bool,
        fresh: bool,
        tries: &mut Tries,
        ask: Ask<'_>,
    ) -> Result<Line, Error> {
        let upstream = &self.lane.upstream;
        let mut last = None;
        while let Some(mut choice) = self.lane.choose(spent, tries, ask)? {
            let index = choice.index;
            (self.chosen)(index);
            let endpoint = &upstream.endpoints[index];
            for address in mem::take(&mut choice.addresses) {
                let now = if tries.count == 1 && tries.started.is_none() {
                    self.now
                } else {
                    Instant::now()
                };
                tries.started = Some(now);
                let idle = self.lane.idle(index);
                if self.speech(index) != Speech::Http1 {
                    // On the heap, as above.
                    match Box::pin(self.open_shared(index, address)).await {
                        Ok((connection, reused)) => {
                            return Ok(choice.line(connection, reused));
                        }
                        Err(error) => last = Some(error),
                    }
                    continue;
                }
                if !fresh && let Some(connection) = idle.take(address, repeatable).await {
                    let connection = Chosen::Own(connection, address);
                    return Ok(choice.line(connection, true));
                }
                // On the heap: connecting is rare, and a future is as large as its largest state.
                let (limit, introduction) = (self.stages.connect, self.introduction.as_deref());
                let connecting =
                    connect(upstream, endpoint, address, limit, Offer::Http1, introduction);
                match Box::pin(connecting).await {
                    Ok(connected) => {
                        let connection = self.own(connected, index, address);
                        return Ok(choice.line(connection, false));
                    }
                    Err(error) => last = Some(error),
                }
            }
            choice.failed(last.as_ref());
            spent.push(index);
        }
        Err(last.unwrap_or_else(|| no_endpoint(upstream.label())))
    }

    /// Which HTTP is spoken to an endpoint, as far as it is known. An upgrade is asked for in
    /// HTTP/1.1 where that is spoken at all.
    fn speech(&self, endpoint: usize) -> Speech {
        match self.version {
            Some(HttpVersion::Http11) => return Speech::Http1,
            Some(HttpVersion::Http2) if !self.upgrade => return Speech::Http2,
            _ => {}
        }
        match self.lane.upstream.endpoints[endpoint].speech {
            Speech::Agreed
                if self.upgrade || self.lane.idle(endpoint).agreed_on_http1.load(Relaxed) =>
            {
                Speech::Http1
            }
            speech => speech,
        }
    }

    /// A connection that is shared, or a fresh one, and whether others use it already. Only one
    /// is opened at a time: what it turns out to speak decides whether the others need their own.
    async fn open_shared(
        &self,
        endpoint: usize,
        address: Address,
    ) -> Result<(Chosen, bool), Error> {
        let upstream = &self.lane.upstream;
        let idle = self.lane.idle(endpoint);
        if let Some(connection) = idle.join(address) {
            return Ok((Chosen::Shared(connection), true));
        }
        let _dialing = idle.dialing.lock().await;
        if let Some(connection) = idle.join(address) {
            return Ok((Chosen::Shared(connection), true));
        }
        let target = &upstream.endpoints[endpoint];
        let speech = self.speech(endpoint);
        let offer = match speech {
            Speech::Http1 => Offer::Http1,
            Speech::Http2 if target.speech != speech => Offer::Http2,
            Speech::Http2 | Speech::Agreed => Offer::OfService,
        };
        let connected =
            connect(upstream, target, address, self.stages.connect, offer, None).await?;
        if !connected.http2 && speech != Speech::Http2 {
            idle.agreed_on_http1.store(true, Relaxed);
            return Ok((self.own(connected, endpoint, address), false));
        }
        let bytes = upstream.head_limits().field_bytes;
        let connection = Multiplexed::begin(connected.wire, bytes).await?;
        idle.share(address, connection.clone());
        Ok((Chosen::Shared(connection), false))
    }

    fn own(&self, connected: Connected, endpoint: usize, address: Address) -> Chosen {
        let connection = Connection::new(connected.wire, self.lane.upstream.head_limits());
        Chosen::Own(self.lane.idle(endpoint).counted(connection), address)
    }

    fn address(&self, request: &mut Request<Body>, endpoint: usize) -> Result<(), Error> {
        let endpoint = &self.lane.upstream.endpoints[endpoint];
        *request.uri_mut() = endpoint.target(&self.target).ok_or_else(target_too_long)?;
        let host = match self.host {
            HostPolicy::Upstream => Some(endpoint.authority.clone()),
            HostPolicy::Preserve => self.client_host.cloned(),
            HostPolicy::Fixed(host) => HeaderValue::from_str(host.as_str()).ok(),
        };
        let host = host.unwrap_or_else(|| endpoint.authority.clone());
        // Not by `insert`, which makes room first: there is a `Host` in all but a few requests.
        match request.headers_mut().get_mut(header::HOST) {
            Some(old) => *old = host,
            None => {
                request.headers_mut().insert(header::HOST, host);
            }
        }
        Ok(())
    }
}

impl Choice {
    fn line(self, connection: Chosen, reused: bool) -> Line {
        Line { connection, endpoint: self.index, reused, permit: self.permit }
    }
}

impl Sent {
    pub(crate) fn status(&self) -> StatusCode {
        self.answer.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// Whether an upgrade that was asked for has been accepted.
    pub(crate) fn is_upgrade(&self) -> bool {
        match &self.answer {
            Answer::Http1(..) => self.status() == StatusCode::SWITCHING_PROTOCOLS,
            Answer::Http2(answer) => answer.is_tunnel() && self.status().is_success(),
        }
    }

    /// Whether it came before the request was sent to its end.
    pub(crate) fn is_early(&self) -> bool {
        self.answer.is_early()
    }

    /// The answer, its body still to be read.
    pub(crate) fn into_response(self) -> (Response, Option<Permit>) {
        (self.answer.into_response(), self.permit)
    }

    /// What is behind an upgrade that was accepted.
    pub(crate) fn into_upgrade(self) -> (Option<UpstreamUpgrade>, Option<Permit>) {
        (self.answer.into_upgrade(), self.permit)
    }
}

/// An upgrade as HTTP/2 asks for it (RFC 8441 section 4).
fn as_connect(request: &mut Request<Body>) {
    let headers = request.headers_mut();
    headers.remove(header::CONNECTION);
    headers.remove(SEC_WEBSOCKET_KEY);
    if let Some(protocol) = headers.remove(header::UPGRADE)
        && let Ok(protocol) = protocol.to_str()
    {
        ask_tunnel(request, protocol);
    }
}

pub(super) fn no_endpoint(service: &str) -> Error {
    Error::upstream(
        StatusCode::SERVICE_UNAVAILABLE,
        "no_endpoint",
        "no endpoint of the service can be reached",
    )
    .because(format!("service {service} has no endpoint with an address and a weight"))
    .unseen()
}

fn target_too_long() -> Error {
    Error::client(StatusCode::URI_TOO_LONG, "uri_too_long", "the request target is too long")
}
