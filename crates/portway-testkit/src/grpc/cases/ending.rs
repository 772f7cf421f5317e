//! Calls that end otherwise than well: with a status, by the client, by the clock.

use std::io;
use std::time::Duration;

use futures_util::stream;
use tonic::{Code, IntoStreamingRequest, Request};

use super::super::client::InteropClient;
use super::super::messages::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest,
    StreamingOutputCallRequest,
};
use super::streaming::{next, outgoing, ping};
use super::{failed, ok, same};

/// What the client of [`timeout_on_sleeping_server`] allows, and how long the server sleeps.
const TIMEOUT: Duration = Duration::from_millis(50);
const SLEEP_US: i32 = 30_000_000;

pub(super) async fn status_code_and_message(client: &InteropClient) -> io::Result<()> {
    let message = "test status message";
    unary_status(client, message).await?;

    let request = StreamingOutputCallRequest {
        response_status: Some(EchoStatus { code: Code::Unknown.into(), message: message.into() }),
        ..Default::default()
    };
    // The status may be in the head of the answer or after it.
    let result = match client.full_duplex_call(stream::iter([request])).await {
        Ok(answers) => answers.into_inner().message().await,
        Err(status) => Err(status),
    };
    let status = failed("FullDuplexCall", result, Code::Unknown)?;
    same("FullDuplexCall says", &status.message(), &message)
}

pub(super) async fn special_status_message(client: &InteropClient) -> io::Result<()> {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
    unary_status(client, message).await
}

pub(super) async fn unimplemented_method(client: &InteropClient) -> io::Result<()> {
    let path = "/grpc.testing.TestService/UnimplementedCall";
    let result = client.unary::<Empty, Empty>(path, Empty {}).await;
    failed("UnimplementedCall", result, Code::Unimplemented).map(drop)
}

pub(super) async fn unimplemented_service(client: &InteropClient) -> io::Result<()> {
    let path = "/grpc.testing.UnimplementedService/UnimplementedCall";
    let result = client.unary::<Empty, Empty>(path, Empty {}).await;
    failed("UnimplementedCall", result, Code::Unimplemented).map(drop)
}

pub(super) async fn cancel_after_begin(client: &InteropClient) -> io::Result<()> {
    let requests = stream::pending::<StreamingInputCallRequest>();
    let mut request = requests.into_streaming_request();
    let cancellation = request.cancellation_handle();
    let cancel = async {
        // An answer to a later call on the same connection shows that the first has begun there.
        let later = client.empty_call(Empty {}).await;
        cancellation.cancel();
        ok("EmptyCall beside the call", later)
    };
    let (result, later) = tokio::join!(client.streaming_input_call(request), cancel);
    later?;
    failed("StreamingInputCall", result, Code::Cancelled)?;
    goes_on(client).await
}

pub(super) async fn cancel_after_first_response(client: &InteropClient) -> io::Result<()> {
    let (pings, requests) = outgoing();
    let mut request = requests.into_streaming_request();
    let cancellation = request.cancellation_handle();
    let first = pings.send(ping(27_182, 31_415)).await;
    first.map_err(|_| io::Error::other("the call takes no messages"))?;
    let mut pongs = ok("FullDuplexCall", client.full_duplex_call(request).await)?.into_inner();
    next(&mut pongs, 31_415).await?;

    cancellation.cancel();
    failed("FullDuplexCall", pongs.message().await, Code::Cancelled)?;
    drop(pings);
    goes_on(client).await
}

/// The client announces its deadline and leaves it to the other side to keep it, which in other
/// implementations it does itself: what is tested here is what is between the two.
pub(super) async fn timeout_on_sleeping_server(client: &InteropClient) -> io::Result<()> {
    let (pings, requests) = outgoing();
    let ping = StreamingOutputCallRequest {
        response_parameters: vec![ResponseParameters { size: 1, interval_us: SLEEP_US }],
        payload: Some(Payload::zeros(27_182)),
        ..Default::default()
    };
    let sent = pings.send(ping).await;
    sent.map_err(|_| io::Error::other("the call takes no messages"))?;
    let mut request: Request<_> = requests.into_streaming_request();
    request.set_timeout(TIMEOUT);
    let result = match client.full_duplex_call(request).await {
        Ok(answers) => answers.into_inner().message().await,
        Err(status) => Err(status),
    };
    failed("FullDuplexCall", result, Code::DeadlineExceeded)?;
    drop(pings);
    goes_on(client).await
}

/// Asks for this message as a status.
async fn unary_status(client: &InteropClient, message: &str) -> io::Result<()> {
    let status = EchoStatus { code: Code::Unknown.into(), message: message.into() };
    let request = SimpleRequest { response_status: Some(status), ..Default::default() };
    let status = failed("UnaryCall", client.unary_call(request).await, Code::Unknown)?;
    same("UnaryCall says", &status.message(), &message)
}

/// A call that ended early takes no other call with it.
async fn goes_on(client: &InteropClient) -> io::Result<()> {
    ok("EmptyCall after it", client.empty_call(Empty {}).await).map(drop)
}
