//! A connection from a client.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{Ping, PingPong, Reason, RecvStream, ext::Protocol, server};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use portway_plugin::{Body, Error};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use super::{
    incoming::{Incoming, Kept},
    pace::{Overdue, Pace, Watchdog},
    socket::ClientSocket,
    stream::{Stream, StreamLine},
};
use crate::{
    driver::{
        ClientLine, Serve, ServerOptions,
        http1::client_closed_request,
        server::{Closing, FAREWELL},
    },
    socket::Wire,
};

/// What a client may send of a body before it is asked for more, for each stream and for all.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What may wait for room in a stream.
const SEND_BUFFER: usize = 128 * 1024;
/// Streams that were reset before they were served, and resets that a client provokes, beyond
/// which it has to calm down (faults C1 and C2: CVE-2023-44487, CVE-2025-8671).
const RESETS: usize = 20;
const PROVOKED_RESETS: usize = 100;
/// Requests that a client takes back at once, beyond those it lets be answered. The library counts
/// only those that are reset before it has handed them over, which a patient client avoids (C1).
const TAKEN_BACK: u32 = 100;
/// How long a client may take to answer a ping.
const PONG: Duration = Duration::from_secs(20);

type Connection = server::Connection<ClientSocket, Bytes>;

/// Serves one connection, of which `read` has come already.
pub(in crate::driver) async fn serve(
    wire: Wire,
    read: Bytes,
    options: ServerOptions,
    closing: &Closing,
    service: impl Serve,
) {
    let pace = Pace::new(Instant::now());
    let socket = ClientSocket::new(wire, Arc::clone(&pace), read);
    let shake = builder(options).handshake(socket);
    let patience = options.header_read.unwrap_or(Duration::MAX);
    let Ok(Ok(mut connection)) = timeout(patience, shake).await else { return };
    let keepalive = options.ping.and_then(|interval| {
        Some(Keepalive { interval, pings: connection.ping_pong()?, alarm: None, asked: false })
    });
    let served = Served { pace, service, keepalive };
    served.drive(&mut connection, options.idle, closing).await;
}

fn builder(options: ServerOptions) -> server::Builder {
    let mut builder = server::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(options.max_streams)
        .max_header_list_size(u32::try_from(options.head.field_bytes).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(Some(PROVOKED_RESETS))
        .enable_connect_protocol();
    builder
}

/// A connection while it is served.
struct Served<S> {
    pace: Arc<Pace>,
    service: S,
    keepalive: Option<Keepalive>,
}

impl<S: Serve> Served<S> {
    /// Polls the connection until it ends by itself, is told to leave, or takes too long.
    async fn drive(
        mut self,
        connection: &mut Connection,
        idle: Option<Duration>,
        closing: &Closing,
    ) {
        let mut told = pin!(closing.told());
        let mut watchdog = Watchdog::new();
        let (mut is_told, mut leaving, mut is_abrupt) = (false, false, false);
        let mut farewell: Option<Pin<Box<Sleep>>> = None;
        poll_fn(|cx: &mut Context<'_>| {
            is_told = is_told || told.as_mut().poll(cx).is_ready();
            loop {
                let accepted = connection.poll_accept(cx);
                let is_pending = accepted.is_pending();
                match accepted {
                    Poll::Ready(Some(Ok((request, respond)))) => self.begin(request, respond),
                    // A connection that broke has told its client why.
                    Poll::Ready(Some(Err(error))) => {
                        if !is_abrupt && error.reason() == Some(Reason::ENHANCE_YOUR_CALM) {
                            self.service.flooded();
                        }
                        return Poll::Ready(());
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
                let abuses = self.pace.taken_back() > TAKEN_BACK || self.pace.is_flooded();
                if !is_abrupt && abuses {
                    (is_abrupt, leaving) = (true, true);
                    self.service.flooded();
                    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    continue;
                }
                if !leaving && (is_told || closing.is_closed() || self.pace.is_retired()) {
                    // Right after each request: the one that came now may be the last.
                    leaving = true;
                    connection.graceful_shutdown();
                } else if is_pending {
                    break;
                }
            }
            if let Some(keepalive) = &mut self.keepalive
                && keepalive.poll(&self.pace, cx).is_ready()
            {
                return Poll::Ready(());
            }
            if let Some(time) = &mut farewell {
                ready!(time.as_mut().poll(cx));
                farewell = None;
            }
            match ready!(watchdog.poll(&self.pace, idle, cx)) {
                Overdue::Idle if !leaving => {
                    leaving = true;
                    connection.graceful_shutdown();
                    cx.waker().wake_by_ref();
                    farewell.insert(Box::pin(sleep(FAREWELL))).as_mut().poll(cx)
                }
                Overdue::Idle | Overdue::Stuck => Poll::Ready(()),
            }
        })
        .await;
    }

    /// Serves a request in a task of its own.
    fn begin(&self, mut request: Request<RecvStream>, mut respond: server::SendResponse<Bytes>) {
        if !is_sound(request.headers()) {
            // It costs its sender as little as one that is taken back.
            self.pace.takes_back(self.pace.heard());
            respond.send_reset(Reason::PROTOCOL_ERROR);
            return;
        }
        join_cookies(request.headers_mut());
        let method = request.method().clone();
        let line = StreamLine::new(Arc::clone(&self.pace), respond);
        let request = taken_apart(request, &line);
        let answer = self.service.serve(request, ClientLine::Http2(Arc::clone(&line)));
        tokio::spawn(Stream::new(answer, method, line));
    }
}

/// Whether the fields are what RFC 9113 section 8.2.1 and RFC 9110 section 8.6 say of them, as far
/// as the library has not looked: HTTP/1.1 would read blanks around a value away.
fn is_sound(headers: &HeaderMap) -> bool {
    let is_blank = |octet: Option<&u8>| matches!(octet, Some(b' ' | b'\t'));
    headers.iter().all(|(name, value)| {
        let value = value.as_bytes();
        let is_empty_length = value.is_empty() && *name == header::CONTENT_LENGTH;
        !is_blank(value.first()) && !is_blank(value.last()) && !is_empty_length
    })
}

/// Makes one field of `Cookie` of those that HTTP/2 lets a client send one by one: for everybody
/// else there is only one (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1
        && let Ok(cookie) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, cookie);
    }
}

/// A request as the gateway sees it. An extended CONNECT (RFC 8441) is what an upgrade is in
/// HTTP/1.1: what comes behind it is no body.
fn taken_apart(mut request: Request<RecvStream>, line: &Arc<StreamLine>) -> Request<Body> {
    let protocol = request.extensions_mut().remove::<Protocol>();
    let (mut parts, stream) = request.into_parts();
    let protocol = protocol.filter(|_| parts.method == Method::CONNECT);
    if let Some(protocol) = protocol
        && let Ok(protocol) = HeaderValue::from_str(protocol.as_str())
    {
        parts.method = Method::GET;
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(header::UPGRADE, protocol);
        line.offer_tunnel(stream);
        return Request::from_parts(parts, Body::empty());
    }
    if stream.is_end_stream() {
        return Request::from_parts(parts, Body::empty());
    }
    let expects = parts.headers.get(header::EXPECT);
    let expects = expects.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let upload = Upload { line: Arc::clone(line), expects };
    let body = Body::stream(Incoming::new(stream, &parts.headers, broken_request, upload));
    Request::from_parts(parts, body)
}

/// What a request's body tells its stream.
struct Upload {
    line: Arc<StreamLine>,
    /// The client waits until it is told to go on (RFC 9110 section 10.1.1).
    expects: bool,
}

impl Kept for Upload {
    fn begun(&mut self) {
        if self.expects {
            self.line.interim(StatusCode::CONTINUE, &HeaderMap::new());
        }
    }

    fn left(&mut self, rest: RecvStream) {
        // A client that waits to be told has nothing to say then.
        if !self.expects {
            self.line.leave(rest);
        }
    }
}

/// Asks a silent client whether it is there.
struct Keepalive {
    interval: Duration,
    pings: PingPong,
    // Made at the first poll.
    alarm: Option<Pin<Box<Sleep>>>,
    asked: bool,
}

impl Keepalive {
    /// Resolves when the client has not answered in time.
    fn poll(&mut self, pace: &Pace, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.asked && self.pings.poll_pong(cx).is_ready() {
                self.asked = false;
            }
            let next = pace.heard() + self.interval;
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(next)));
            ready!(alarm.as_mut().poll(cx));
            if self.asked {
                return Poll::Ready(());
            }
            let now = Instant::now();
            if next > now {
                alarm.as_mut().reset(next);
                continue;
            }
            // It fails only while another ping is on its way.
            self.asked = self.pings.send_ping(Ping::opaque()).is_ok();
            alarm.as_mut().reset(now + PONG);
        }
    }
}

fn broken_request(error: h2::Error) -> Error {
    let is_malformed = error.is_library()
        || error.get_io().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
    let broken = if is_malformed {
        Error::client(StatusCode::BAD_REQUEST, "bad_request_body", "the request body is malformed")
    } else {
        Error::client(client_closed_request(), "client_closed_request", "the client left")
    };
    broken.because(error).closing()
}
