//! Tower layers around a gateway: it is a `tower::Service`, so whatever wraps services wraps it.
//!
//! ```sh
//! curl -s -i http://127.0.0.1:8080/items
//! #> 200 OK
//! #> x-layers: 1
//!
//! # The layer sees what the gateway answers by itself, too.
//! curl -s -i http://127.0.0.1:8080/nowhere
//! #> 404 Not Found
//! #> x-layers: 1
//! ```

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::Router;
use http::{HeaderValue, Request, Response};
use portway::Gateway;
use portway_examples::{listen, upstream};
use tower_layer::Layer;
use tower_service::Service;

#[portway::service]
mod shop {
    #[portway::get("/items")]
    async fn items() {}
}

/// Says that it was there.
#[derive(Clone, Copy)]
struct Stamp;

#[derive(Clone)]
struct Stamped<S>(S);

impl<S> Layer<S> for Stamp {
    type Service = Stamped<S>;

    fn layer(&self, inner: S) -> Stamped<S> {
        Stamped(inner)
    }
}

impl<S, A, B> Service<Request<A>> for Stamped<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            answer.headers_mut().insert("x-layers", HeaderValue::from_static("1"));
            Ok(answer)
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gateway = Gateway::builder().mount_service(shop::routes(), [upstream()]).build()?;
    let layered = Stamp.layer(gateway.into_service().await?);
    // Any server of tower services hosts it.
    let listener = tokio::net::TcpListener::bind(listen()).await?;
    axum::serve(listener, Router::new().fallback_service(layered)).await?;
    Ok(())
}
