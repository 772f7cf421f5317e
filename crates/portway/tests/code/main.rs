//! Gateways declared in Rust, from end to end: real sockets, real upstreams.

mod errors;
mod files;
mod forwarding;
mod gateway;
mod hooks;
mod leaving;
mod maps;
mod protocols;
mod served;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use portway::{Builder, Gateway, GatewayService, Peer};
use portway_testkit::{Echo, RunningEcho};
use serde_json::Value;
use tower_service::Service;

/// A gateway with an upstream that says what it was sent.
pub(crate) struct Declared {
    gateway: GatewayService,
    /// It answers as long as it lives.
    _echo: Option<RunningEcho>,
}

impl Declared {
    /// Builds a gateway whose services all lead to the upstream.
    pub(crate) async fn with(
        builder: Builder,
        services: &[&'static portway::code::Service],
    ) -> Self {
        let echo = Echo::start().await.expect("an upstream");
        let builder = services
            .iter()
            .fold(builder, |builder, service| builder.mount_service(service, [echo.url()]));
        let gateway = builder.build().expect("it is right").into_service().await;
        Self { gateway: gateway.expect("it starts"), _echo: Some(echo) }
    }

    /// Builds a gateway with the upstreams it names.
    pub(crate) async fn over(builder: Builder) -> Self {
        let gateway = builder.build().expect("it is right").into_service().await;
        Self::around(gateway.expect("it starts"))
    }

    pub(crate) fn around(gateway: GatewayService) -> Self {
        Self { gateway, _echo: None }
    }

    pub(crate) async fn of(service: &'static portway::code::Service) -> Self {
        Self::with(Gateway::builder(), &[service]).await
    }

    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        let mut request = request;
        let client = "192.0.2.7:4711".parse().expect("an address");
        request.extensions_mut().insert(Peer::new(client));
        let response = self.gateway.clone().call(request).await.expect("it never fails");
        Answer::read(response).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, "")).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(request(Method::POST, path, body)).await
    }
}

pub(crate) fn request(method: Method, path: &str, body: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path).header("host", "shop.example");
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a request")
}

/// An answer whose body was read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    async fn read(response: portway::plugin::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = http_body_util::BodyExt::collect(body).await.expect("a body").to_bytes();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}
