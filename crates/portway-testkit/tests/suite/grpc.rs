//! The cases of gRPC without a gateway, and against what is not gRPC.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use portway_testkit::grpc::{self, Interop, InteropClient};
use portway_testkit::{Client, Echo, Nginx, eventually, free_addr};
use tokio::io::BufStream;
use tokio::net::TcpStream;

#[tokio::test]
async fn every_case_passes_without_a_gateway() {
    let server = Interop::start().await.unwrap();
    let client = InteropClient::h2c(server.addr()).await.unwrap();
    grpc::run_all(&client).await.unwrap();

    eventually("no call is left", || server.open_calls() == 0).await.unwrap();
    // The two that the cases cancel; one at its deadline ends by a status.
    assert_eq!(server.cancelled(), 2);
}

/// A proxy of somebody else can pass them, so they ask for nothing that only a direct call has.
#[tokio::test]
async fn every_case_passes_through_nginx() {
    let server = Interop::start().await.unwrap();
    let addr = free_addr().unwrap();
    let pass =
        format!("listen {addr} http2; location /grpc. {{ grpc_pass grpc://{}; }}", server.addr());
    let _nginx = match Nginx::new().directive(pass).start().await {
        // It is not installed.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        started => started.unwrap(),
    };
    let client = InteropClient::h2c(addr).await.unwrap();
    grpc::run_all(&client).await.unwrap();
    eventually("no call is left", || server.open_calls() == 0).await.unwrap();
}

/// Else a case could pass whatever happens.
#[tokio::test]
async fn every_case_fails_against_what_is_not_grpc() {
    let echo = Echo::start().await.unwrap();
    for (name, case) in grpc::cases() {
        let client = InteropClient::h2c(echo.addr()).await.unwrap();
        let client = client.with_deadline(Duration::from_millis(200));
        let error = case(&client).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("{name}: ")), "{error}");
    }
}

#[tokio::test]
async fn both_ends_speak_over_what_the_test_makes_of_a_connection() {
    let server = Interop::bind("127.0.0.1:0").await.unwrap();
    let server = server.spawn_over(|stream| async { Ok(BufStream::new(stream)) });
    let stream = BufStream::new(TcpStream::connect(server.addr()).await.unwrap());
    let client = InteropClient::over(stream, "https://gateway.test").await.unwrap();
    grpc::run_all(&client).await.unwrap();
}

#[tokio::test]
async fn a_status_message_is_percent_encoded_in_the_trailers() {
    let server = Interop::start().await.unwrap();
    // UnaryCall, asked for the status 2 with the message "\n☺".
    let message = b"\0\0\0\0\x0a\x3a\x08\x08\x02\x12\x04\n\xe2\x98\xba";
    let request = call("UnaryCall").header("te", "trailers").body(Full::from(&message[..]));
    let fields = answer(&server, request.unwrap()).await;
    assert_eq!(fields["grpc-status"], "2");
    assert_eq!(fields["grpc-message"], "%0A%E2%98%BA");
}

#[tokio::test]
async fn a_call_through_a_proxy_that_may_lose_trailers_is_refused() {
    let server = Interop::start().await.unwrap();
    let request = call("EmptyCall").body(Full::from(&b"\0\0\0\0\0"[..])).unwrap();
    assert_eq!(answer(&server, request).await["grpc-status"], "13");
    assert_eq!((server.calls(), server.cancelled()), (1, 0));
}

#[tokio::test]
async fn what_is_not_grpc_is_refused_in_http() {
    let server = Interop::start().await.unwrap();
    let response = Client::h2c(server.addr()).get("/index.html").await.unwrap();
    assert_eq!(response.status, 415);
}

#[tokio::test]
async fn a_client_that_leaves_has_cancelled_its_calls() {
    let server = Interop::start().await.unwrap();
    let client = InteropClient::h2c(server.addr()).await.unwrap();
    let requests = futures_util::stream::pending();
    let answers = client.full_duplex_call(requests).await.unwrap();
    assert_eq!((server.open_calls(), server.cancelled()), (1, 0));
    drop((answers, client));
    eventually("the call is cancelled", || server.cancelled() == 1).await.unwrap();
    assert_eq!(server.open_calls(), 0);
}

fn call(method: &str) -> http::request::Builder {
    Request::post(format!("/grpc.testing.TestService/{method}"))
        .header("content-type", "application/grpc")
}

/// The fields of the answer's head and trailers together.
async fn answer(server: &grpc::RunningInterop, request: Request<Full<Bytes>>) -> HeaderMap {
    let response = Client::h2c(server.addr()).open(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let (head, body) = response.into_parts();
    let mut fields = head.headers;
    fields.extend(body.collect().await.unwrap().trailers().cloned().unwrap_or_default());
    fields
}
