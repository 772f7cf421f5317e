//! Many messages: there, back, and both ways at once.

use std::io;

use futures_util::{Stream, stream};
use tokio::sync::mpsc;
use tonic::Streaming;

use super::super::client::InteropClient;
use super::super::messages::{
    Payload, ResponseParameters, StreamingInputCallRequest, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};
use super::{ok, same};

/// How many bytes each message has, on the way there.
const INPUTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
/// How many bytes each message has, on the way back.
const OUTPUTS: [i32; 4] = [31_415, 9, 2_653, 58_979];

pub(super) async fn client_streaming(client: &InteropClient) -> io::Result<()> {
    let requests =
        INPUTS.map(|length| StreamingInputCallRequest { payload: Some(Payload::zeros(length)) });
    let response = client.streaming_input_call(stream::iter(requests)).await;
    let total = ok("StreamingInputCall", response)?.into_inner().aggregated_payload_size;
    same("StreamingInputCall counts in bytes", &total, &74_922)
}

pub(super) async fn server_streaming(client: &InteropClient) -> io::Result<()> {
    let request = StreamingOutputCallRequest {
        response_parameters: OUTPUTS.map(immediately).into(),
        ..Default::default()
    };
    let response = client.streaming_output_call(request).await;
    let mut answers = ok("StreamingOutputCall", response)?.into_inner();
    for size in OUTPUTS {
        next(&mut answers, size).await?;
    }
    end(&mut answers).await
}

pub(super) async fn ping_pong(client: &InteropClient) -> io::Result<()> {
    let mut rounds = INPUTS.into_iter().zip(OUTPUTS).map(|(length, size)| ping(length, size));
    let (pings, requests) = outgoing();
    // The first goes ahead of the call: a server may begin its answer only when it has a message.
    send(&pings, rounds.next()).await?;
    let mut pongs = ok("FullDuplexCall", client.full_duplex_call(requests).await)?.into_inner();
    for size in OUTPUTS {
        next(&mut pongs, size).await?;
        send(&pings, rounds.next()).await?;
    }
    drop(pings);
    end(&mut pongs).await
}

pub(super) async fn empty_stream(client: &InteropClient) -> io::Result<()> {
    let response = client.full_duplex_call(stream::empty()).await;
    end(&mut ok("FullDuplexCall", response)?.into_inner()).await
}

/// A message that asks for one back.
pub(super) fn ping(length: usize, size: i32) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![immediately(size)],
        payload: Some(Payload::zeros(length)),
        ..Default::default()
    }
}

/// The messages of a call that are made while it is under way. It half-closes when the sender is
/// dropped.
pub(super) fn outgoing<T: Send>() -> (mpsc::Sender<T>, impl Stream<Item = T> + Send) {
    let (sender, receiver) = mpsc::channel(1);
    let messages = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|message| (message, receiver))
    });
    (sender, messages)
}

/// Takes the next answer, which should have so many bytes.
pub(super) async fn next(
    answers: &mut Streaming<StreamingOutputCallResponse>,
    size: i32,
) -> io::Result<()> {
    let answer = ok("the call", answers.message().await)?
        .ok_or_else(|| io::Error::other(format!("the answers ended before one of {size} bytes")))?;
    let length = answer.payload.unwrap_or_default().body.len();
    same("an answer has in bytes", &i32::try_from(length).unwrap_or(i32::MAX), &size)
}

/// Takes the end of the answers, and the status with it.
async fn end(answers: &mut Streaming<StreamingOutputCallResponse>) -> io::Result<()> {
    same("comes after the last answer", &ok("the call", answers.message().await)?, &None)
}

/// Sends a message if there is one.
async fn send<T>(sender: &mpsc::Sender<T>, message: Option<T>) -> io::Result<()> {
    let Some(message) = message else { return Ok(()) };
    let gone = |_| io::Error::other("the call takes no more messages");
    sender.send(message).await.map_err(gone)
}

fn immediately(size: i32) -> ResponseParameters {
    ResponseParameters { size, interval_us: 0 }
}
