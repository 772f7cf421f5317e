//! One connection for one request.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::{Failure, causes};
use crate::remote::connect::{Settings, connector, settings::Address};

/// How long a connection and its handshake may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Sends a request, and waits for the head of the answer.
pub(super) async fn exchange(
    settings: &Settings,
    admin: &Address,
    mut request: http::Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    let headers = request.headers_mut();
    let authority = HeaderValue::from_str(&admin.authority());
    headers.insert(
        header::HOST,
        authority.map_err(|_| Failure::unreachable(admin, "its name is no host"))?,
    );
    if let Some(authorization) = &settings.authorization {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    let late = |what: &str, limit: Duration| {
        Failure::unreachable(admin, &format!("{what} took longer than {} s", limit.as_secs()))
    };
    let connected = timeout(CONNECT, TcpStream::connect((admin.host.as_str(), admin.port)));
    let socket = connected
        .await
        .map_err(|_| late("connecting", CONNECT))?
        .map_err(|error| Failure::unreachable(admin, &error.to_string()))?;
    // A request is one write: there is nothing to wait for.
    let _ = socket.set_nodelay(true);
    if !admin.tls {
        return over(socket, settings, admin, request).await;
    }
    let connector = connector(settings).map_err(|error| Failure::Local(format!("{error:#}")))?;
    let name = ServerName::try_from(admin.host.clone())
        .map_err(|_| Failure::unreachable(admin, "its name is no host"))?;
    let secured = timeout(CONNECT, connector.connect(name, socket))
        .await
        .map_err(|_| late("the TLS handshake", CONNECT))?
        .map_err(|error| Failure::unreachable(admin, &causes(&error)))?;
    over(secured, settings, admin, request).await
}

async fn over(
    socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    settings: &Settings,
    admin: &Address,
    request: http::Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    let failed = |error: &hyper::Error| Failure::unreachable(admin, &causes(error));
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(|error| failed(&error))?;
    // It ends with the answer, or with the runtime.
    tokio::spawn(connection);
    let limit = settings.timeout;
    match timeout(limit, sender.send_request(request)).await {
        Ok(answered) => answered.map_err(|error| failed(&error)),
        Err(_) => {
            let cause = format!("there was no answer within {} s (--timeout)", limit.as_secs());
            Err(Failure::unreachable(admin, &cause))
        }
    }
}
