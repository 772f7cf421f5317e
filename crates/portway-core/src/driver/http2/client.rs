//! A connection to an upstream, which many exchanges share.

use std::{
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    client::{self, ResponseFuture, SendRequest},
    ext::Protocol,
};
use http::{
    HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header,
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body::Body as _;
use portway_http1::{client::Options, head::FieldWriter};
use portway_plugin::{Body, Error};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::{
    incoming::{Incoming, Kept},
    outgoing::{Broken, Outgoing},
    tunnel::StreamIo,
};
use crate::{
    driver::client::{Again, Failed, Uploading, broken_answer},
    socket::Wire,
};

/// What an upstream may send of a body before it is asked for more, for each stream and for all.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// What may wait for room in a stream.
const SEND_BUFFER: usize = 128 * 1024;
/// The exchanges on one connection, also where the upstream would take more: beyond it another
/// connection shares the work.
const MAX_STREAMS: usize = 256;
/// How long the settings of a fresh connection may take, for those who need them.
const SETTINGS_TIME: Duration = Duration::from_millis(500);
/// Interim answers to one request. More than these are a flood.
const INTERIM: u16 = 200;

/// A connection that many exchanges share. Clones are the same one; it closes with the last.
#[derive(Clone, Debug)]
pub(crate) struct Multiplexed {
    sender: SendRequest<Bytes>,
    /// The exchanges under way.
    active: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

/// How a request is addressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shake {
    /// Whether the connection is under TLS.
    pub(crate) secure: bool,
}

/// The head of an answer, and how to read the rest.
pub(crate) struct Answer {
    head: Response<()>,
    received: RecvStream,
    upload: Option<Outgoing>,
    /// The other direction of a tunnel.
    tunnel: Option<SendStream<Bytes>>,
    slot: Slot,
}

/// An exchange that counts as under way.
struct Slot(Arc<AtomicUsize>);

impl Multiplexed {
    /// Begins to speak HTTP/2. The connection runs in a task of this core, and ends with the last
    /// exchange after the last clone is gone.
    pub(crate) async fn begin(wire: Wire, head_bytes: usize) -> Result<Self, Error> {
        let (sender, connection) = client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(head_bytes).unwrap_or(u32::MAX))
            .max_send_buffer_size(SEND_BUFFER)
            .enable_push(false)
            .handshake(wire)
            .await
            .map_err(no_http2)?;
        let closed = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&closed);
        tokio::spawn(async move {
            // Its exchanges tell of what breaks it.
            let _ = connection.await;
            ended.store(true, Relaxed);
        });
        Ok(Self { sender, active: Arc::default(), closed })
    }

    /// Whether it can take another exchange.
    pub(crate) fn has_room(&self) -> bool {
        self.is_open() && self.active() < self.sender.current_max_send_streams().min(MAX_STREAMS)
    }

    /// Whether the upstream has not closed it.
    pub(crate) fn is_open(&self) -> bool {
        !self.closed.load(Relaxed)
    }

    /// Whether both are one connection.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.active, &other.active)
    }

    /// The exchanges under way.
    pub(crate) fn active(&self) -> usize {
        self.active.load(Relaxed)
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn exchange(
        &self,
        request: &mut Request<Body>,
        shake: Shake,
        options: Options<'_>,
    ) -> Result<Answer, Box<Failed>> {
        let slot = Slot::new(&self.active);
        let mut sender = self.sender.clone();
        let ready = poll_fn(|cx| sender.poll_ready(cx)).await;
        ready.map_err(unseen)?;
        let protocol = request.extensions().get::<Protocol>().cloned();
        if protocol.is_some() && !takes_tunnels(&sender).await {
            return Err(Box::new(Failed { error: no_tunnel(), again: Again::Never }));
        }
        let head = head(request, shake, protocol, options);
        let is_tunnel = head.method() == Method::CONNECT;
        let body = mem::take(request.body_mut());
        let ended = !is_tunnel && body.is_end_stream();
        let (response, stream) = sender.send_request(head, ended).map_err(unseen)?;
        let mut sending = Sending {
            outgoing: Outgoing::new(stream, body).remember(),
            is_tunnel,
            response,
            interim: 0,
            wait: None,
            options,
            over: ended,
        };
        match poll_fn(|cx| sending.poll(cx)).await {
            Ok(response) => Ok(sending.answer(response, slot)),
            Err(failed) => {
                let mut failed = failed;
                match sending.outgoing.take_back() {
                    Some(body) => *request.body_mut() = body,
                    // What is gone cannot be sent again.
                    None => failed.again = Again::Never,
                }
                Err(failed)
            }
        }
    }
}

/// A request on its way out, and its answer on its way in.
struct Sending<'a> {
    outgoing: Outgoing,
    is_tunnel: bool,
    response: ResponseFuture,
    interim: u16,
    /// Armed when the last byte has gone.
    wait: Option<Pin<Box<Sleep>>>,
    options: Options<'a>,
    /// Nothing of the body is left to be sent, or the upstream wants no more of it.
    over: bool,
}

impl Sending<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<RecvStream>, Box<Failed>>> {
        if !self.over && !self.is_tunnel {
            match self.outgoing.poll(cx) {
                Poll::Ready(Ok(())) => self.over = true,
                // An answer may be there all the same (RFC 9113 section 8.1).
                Poll::Ready(Err(Broken::Refused)) => self.over = true,
                Poll::Ready(Err(Broken::Body(error))) => {
                    self.outgoing.reset(Reason::CANCEL);
                    return Poll::Ready(Err(Box::new(Failed { error, again: Again::Never })));
                }
                Poll::Ready(Err(Broken::Stalled)) | Poll::Pending => {}
            }
        }
        self.pass_interim(cx);
        if let Poll::Ready(outcome) = Pin::new(&mut self.response).poll(cx) {
            return Poll::Ready(outcome.map_err(failed));
        }
        if !self.over && !self.is_tunnel {
            return Poll::Pending;
        }
        let Some(limit) = self.options.wait else { return Poll::Pending };
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        ready!(wait.as_mut().poll(cx));
        self.outgoing.reset(Reason::CANCEL);
        Poll::Ready(Err(Box::new(Failed { error: Failed::timed_out(), again: Again::Never })))
    }

    fn pass_interim(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(Ok(interim))) = self.response.poll_informational(cx) {
            self.interim = self.interim.saturating_add(1);
            if self.interim <= INTERIM
                && let Some(take) = self.options.interim
            {
                take(interim.status(), interim.headers());
            }
        }
    }

    fn answer(self, response: Response<RecvStream>, slot: Slot) -> Answer {
        let (parts, received) = response.into_parts();
        let head = Response::from_parts(parts, ());
        let mut outgoing = self.outgoing;
        outgoing.forget();
        let (tunnel, upload) = match (self.is_tunnel, self.over) {
            (true, _) => (Some(outgoing.into_stream()), None),
            (false, false) => (None, Some(outgoing)),
            (false, true) => (None, None),
        };
        Answer { head, received, upload, tunnel, slot }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Whether the answer came before the request was sent to its end.
    pub(crate) fn is_early(&self) -> bool {
        self.upload.is_some()
    }

    /// The answer with its body.
    pub(crate) fn into_response(self) -> Response<Body> {
        let Self { head, received, upload, slot, .. } = self;
        let ended = received.is_end_stream();
        let upload = upload.filter(|_| !ended).map(|mut upload| {
            Uploading(tokio::spawn(async move {
                // Its end is the answer's to tell.
                let _ = poll_fn(|cx| upload.poll(cx)).await;
            }))
        });
        let (mut parts, ()) = head.into_parts();
        parts.version = Version::HTTP_2;
        let body = match ended {
            true => Body::empty(),
            false => Body::stream(Incoming::new(
                received,
                &parts.headers,
                broken_answer,
                Held { _slot: slot, _upload: upload },
            )),
        };
        Response::from_parts(parts, body)
    }

    /// Whether it answers a CONNECT.
    pub(crate) fn is_tunnel(&self) -> bool {
        self.tunnel.is_some()
    }

    /// The tunnel behind a CONNECT that was accepted.
    pub(in crate::driver) fn into_tunnel(self) -> Option<StreamIo> {
        Some(StreamIo::new(self.received, self.tunnel?))
    }
}

/// What lives as long as the body of an answer.
struct Held {
    _slot: Slot,
    _upload: Option<Uploading>,
}

impl Kept for Held {}

impl Slot {
    fn new(active: &Arc<AtomicUsize>) -> Self {
        active.fetch_add(1, Relaxed);
        Self(Arc::clone(active))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Makes a request ask for a tunnel of this protocol (RFC 8441 section 4).
pub(crate) fn ask_tunnel(request: &mut Request<Body>, protocol: &str) {
    request.extensions_mut().insert(Protocol::from(protocol));
}

/// The head as HTTP/2 has it: the host in the target, and nothing that concerns a connection.
fn head(
    request: &Request<Body>,
    shake: Shake,
    protocol: Option<Protocol>,
    options: Options<'_>,
) -> Request<()> {
    let mut headers = request.headers().clone();
    let host = headers.remove(header::HOST);
    if let Some(fields) = options.fields {
        fields(&mut FieldWriter::map(&mut headers));
    }
    if let Some(length) = request.body().size_hint().exact()
        && (length > 0 || takes_body(request.method()))
    {
        headers.insert(header::CONTENT_LENGTH, length.into());
    } else {
        headers.remove(header::CONTENT_LENGTH);
    }
    let mut head = Request::new(());
    *head.version_mut() = Version::HTTP_2;
    *head.method_mut() = request.method().clone();
    if let Some(protocol) = protocol {
        *head.method_mut() = Method::CONNECT;
        head.extensions_mut().insert(protocol);
        headers.remove(header::CONNECTION);
        headers.remove(header::UPGRADE);
        headers.remove(header::CONTENT_LENGTH);
    }
    let scheme = if shake.secure { Scheme::HTTPS } else { Scheme::HTTP };
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut uri = Uri::default().into_parts();
    uri.path_and_query = Some(match request.uri().path_and_query() {
        Some(target) => target.clone(),
        None => PathAndQuery::from_static("/"),
    });
    if authority.is_some() {
        (uri.scheme, uri.authority) = (Some(scheme), authority);
    }
    *head.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    *head.headers_mut() = headers;
    head
}

/// Whether the upstream takes an extended CONNECT (RFC 8441 section 3). It says so in its settings,
/// which on a fresh connection may not have come yet; h2 does not tell when they do.
async fn takes_tunnels(sender: &SendRequest<Bytes>) -> bool {
    const LOOKS: u32 = 100;
    for _ in 0..LOOKS {
        if sender.is_extended_connect_protocol_enabled() {
            return true;
        }
        sleep(SETTINGS_TIME / LOOKS).await;
    }
    false
}

fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// A request that never left.
fn unseen(error: h2::Error) -> Box<Failed> {
    Box::new(Failed { error: Failed::closed(error), again: Again::Always })
}

/// What becomes of a request whose stream has failed. One that was refused, or that came behind
/// the last one of a connection that goes away, was not processed (RFC 9113 sections 6.8, 8.7).
fn failed(error: h2::Error) -> Box<Failed> {
    let (again, error) = if error.is_remote() && error.is_go_away() {
        (Again::Always, Failed::closed(error))
    } else if error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM) {
        (Again::Refused, Failed::closed(error))
    } else if error.is_io() {
        (Again::IfRepeatable, Failed::closed(error))
    } else if error.is_remote() {
        (Again::Never, Failed::reset(error))
    } else {
        (Again::Never, Failed::malformed(error))
    };
    Box::new(Failed { error, again })
}

fn no_http2(error: h2::Error) -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_protocol",
        "the upstream does not speak HTTP/2",
    )
    .because(error)
    .unseen()
}

fn no_tunnel() -> Error {
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_no_upgrade",
        "the upstream does not take upgrades over HTTP/2",
    )
}
