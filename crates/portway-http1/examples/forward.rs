//! A reverse proxy: `cargo run -p portway-http1 --example forward -- 127.0.0.1:8081 127.0.0.1:8080`
//! listens on the first address and forwards to the second.

use std::{
    env,
    error::Error,
    future::{self, Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use portway_http1::{
    client::{self, Home},
    error::{BodyError, HeadError},
    limits::HeadLimits,
    server::{Body, Connection, Options, Service},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

type AnyBody = UnsyncBoxBody<Bytes, BodyError>;

/// An upstream and its idle connections.
#[derive(Clone)]
struct Upstream {
    address: Arc<str>,
    idle: Arc<Mutex<Vec<client::Connection<TcpStream>>>>,
}

impl Home<TcpStream> for Upstream {
    fn give_back(self, mut connection: client::Connection<TcpStream>) {
        connection.rest();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

impl Upstream {
    /// A connection that was used before and can be again, or a new one.
    async fn connection(&self) -> Result<client::Connection<TcpStream>, StatusCode> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut idle) = idle else { break };
            if poll_fn(|cx| Poll::Ready(idle.is_usable(cx))).await {
                return Ok(idle);
            }
        }
        let socket = TcpStream::connect(&*self.address).await;
        let socket = socket.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        Ok(client::Connection::new(socket, HeadLimits::default()))
    }

    async fn forward(&self, mut request: Request<Body>) -> Result<Response<AnyBody>, StatusCode> {
        drop_hops(request.headers_mut());
        let answer = loop {
            let connection = self.connection().await?;
            match connection.exchange(&mut request, client::Options::default()).await {
                Ok(answer) => break answer,
                // The upstream closed an idle connection before it had a byte of this.
                Err(failure) if failure.written == 0 && !failure.touched => {}
                Err(_) => return Err(StatusCode::BAD_GATEWAY),
            }
        };
        let (head, body, upload) = answer.into_parts(self.clone());
        // An upload that still runs has a task of its own, which ends with the answer.
        let mut task = JoinSet::new();
        upload.map(|upload| task.spawn(upload));
        let body = body.map_frame(move |frame| {
            let _ = &task;
            frame
        });
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        drop_hops(response.headers_mut());
        Ok(response)
    }
}

/// What is said to the next hop alone goes no further (RFC 9110 section 7.6.1).
fn drop_hops(headers: &mut HeaderMap) {
    let said = headers.get_all(header::CONNECTION).iter().cloned().collect::<Vec<_>>();
    for name in said.iter().filter_map(|said| said.to_str().ok()).flat_map(|said| said.split(',')) {
        headers.remove(name.trim());
    }
    for name in ["connection", "keep-alive", "proxy-connection", "te", "upgrade"] {
        headers.remove(name);
    }
}

struct Proxy(Upstream);

impl Service for Proxy {
    type Body = AnyBody;
    type Future = Pin<Box<dyn Future<Output = Response<AnyBody>> + Send>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        let upstream = self.0.clone();
        Box::pin(async move { upstream.forward(request).await.unwrap_or_else(plain) })
    }

    fn refuse(&self, error: HeadError) -> Response<AnyBody> {
        plain(error.status())
    }
}

fn plain(status: StatusCode) -> Response<AnyBody> {
    let text = Full::from(format!("{status}\n")).map_err(|never| match never {});
    let mut response = Response::new(text.boxed_unsync());
    *response.status_mut() = status;
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(here), Some(there)) = (arguments.next(), arguments.next()) else {
        return Err("usage: forward LISTEN UPSTREAM".into());
    };
    let upstream = Upstream { address: there.into(), idle: Arc::default() };
    let listener = TcpListener::bind(here).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let connection = Connection::new(socket, BytesMut::new(), Options::default());
        tokio::spawn(connection.serve(Proxy(upstream.clone()), future::pending()));
    }
}
