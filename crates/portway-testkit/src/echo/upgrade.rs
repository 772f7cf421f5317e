//! WebSocket on the side of the echo upstream.

use std::sync::PoisonError;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::payload::{Content, Exchange, Payload};
use super::respond::{refusal, response};
use super::server::{Connection, GRACE, stopped};

/// Whether the request asks to go on as a WebSocket.
pub(super) fn asked(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET
        && lists(request.headers(), &header::CONNECTION, "upgrade")
        && lists(request.headers(), &header::UPGRADE, "websocket")
}

/// Whether the request asks for a WebSocket on its stream of HTTP/2 (RFC 8441).
pub(super) fn asked_on_stream(request: &Request<Incoming>) -> bool {
    let protocol = request.extensions().get::<Protocol>();
    request.method() == Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// Says yes; the stream becomes a WebSocket, and the connection goes on.
pub(super) fn accept_on_stream(
    connection: &Connection,
    mut request: Request<Incoming>,
    exchange: Exchange,
) -> Response<Payload> {
    if request.headers().get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return refusal("a WebSocket needs Sec-WebSocket-Version: 13\n".to_owned(), exchange);
    }
    let protocol = first_protocol(request.headers());
    let mut response = response(Content::Whole(Bytes::new()), exchange);
    response.headers_mut().extend(protocol.map(|name| (header::SEC_WEBSOCKET_PROTOCOL, name)));

    let tunnel = echo(hyper::upgrade::on(&mut request), connection.stopping.clone());
    let mut tunnels = connection.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
    while tunnels.try_join_next().is_some() {}
    tunnels.spawn(tunnel);
    response
}

/// Answers the handshake; the connection becomes a WebSocket when hyper lets go of it.
pub(super) fn accept(
    connection: &Connection,
    mut request: Request<Incoming>,
    exchange: Exchange,
) -> Response<Payload> {
    let headers = request.headers();
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return refusal("a WebSocket needs a Sec-WebSocket-Key\n".to_owned(), exchange);
    };
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return refusal("a WebSocket needs Sec-WebSocket-Version: 13\n".to_owned(), exchange);
    }
    let accept =
        HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("an accept key is base64");
    let protocol = first_protocol(headers);

    let mut response = response(Content::Whole(Bytes::new()), exchange);
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    headers.extend(protocol.map(|protocol| (header::SEC_WEBSOCKET_PROTOCOL, protocol)));

    let upgrade = hyper::upgrade::on(&mut request);
    *connection.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
    response
}

/// Sends each message back until the client closes or the upstream stops. Pings are answered by
/// the WebSocket itself.
pub(super) async fn echo(upgrade: OnUpgrade, mut stopping: watch::Receiver<bool>) {
    // An error is a client that left before it read the 101.
    let Ok(upgraded) = upgrade.await else { return };
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) if message.is_text() || message.is_binary() => {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    // Who is gone needs no farewell.
                    let _ = socket.close(failure(&error)).await;
                    break;
                }
                None => break,
            },
            () = stopped(&mut stopping) => {
                let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
                // A client that is gone needs no farewell.
                let _ = socket.close(Some(frame)).await;
                while let Some(Ok(_)) = socket.next().await {}
                break;
            }
        }
    }
    // Over TLS an end without a farewell would look like a cut. Who is gone needs none.
    let _ = socket.get_mut().shutdown().await;
    // What is left unread would turn the end into a reset, which takes our last words along.
    let mut nowhere = tokio::io::sink();
    let drained = tokio::io::copy(socket.get_mut(), &mut nowhere);
    let _ = tokio::time::timeout(GRACE, drained).await;
}

/// How a connection is failed for what the client sent (RFC 6455, section 7.4.1).
fn failure(error: &Error) -> Option<CloseFrame> {
    let code = match error {
        Error::Protocol(_) => CloseCode::Protocol,
        Error::Utf8(_) => CloseCode::Invalid,
        Error::Capacity(_) => CloseCode::Size,
        _ => return None,
    };
    Some(CloseFrame { code, reason: "".into() })
}

/// The first protocol on offer, which is as good as any.
fn first_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?;
    let first = offered.to_str().ok()?.split(',').next()?;
    HeaderValue::from_str(first.trim()).ok()
}

/// Whether a header lists a token, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
}
