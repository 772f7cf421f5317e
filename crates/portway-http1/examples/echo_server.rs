//! A server that sends back what it gets: `cargo run -p portway-http1 --example echo_server`, then
//! `curl -T - http://127.0.0.1:8080/`.

use std::{env, error::Error, future};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use portway_http1::{
    error::{BodyError, HeadError},
    server::{Body, Connection, Options, Service},
};
use tokio::net::TcpListener;

struct Echo;

impl Service for Echo {
    type Body = UnsyncBoxBody<Bytes, BodyError>;
    type Future = future::Ready<Response<Self::Body>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        // The body is not read here: the answer streams it as it comes.
        future::ready(Response::new(request.into_body().boxed_unsync()))
    }

    fn refuse(&self, error: HeadError) -> Response<Self::Body> {
        let text = Full::from(format!("{error}\n"));
        let mut refusal = Response::new(text.map_err(|never| match never {}).boxed_unsync());
        *refusal.status_mut() = error.status();
        refusal
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let connection = Connection::new(socket, BytesMut::new(), Options::default());
        // Without an end of its own: `leave` is where a shutdown would be told.
        tokio::spawn(connection.serve(Echo, future::pending()));
    }
}
