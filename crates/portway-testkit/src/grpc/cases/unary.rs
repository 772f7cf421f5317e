//! One message there, one message back; and metadata, which is the same for every kind of call.

use std::io;

use futures_util::stream;
use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};
use tonic::{Request, Response};

use super::super::call::{ECHO_INITIAL, ECHO_TRAILING};
use super::super::client::InteropClient;
use super::super::messages::{
    Empty, Payload, ResponseParameters, SimpleRequest, StreamingOutputCallRequest,
};
use super::{ok, same};

/// What is sent there, and what is sent back.
const LARGE: (usize, usize) = (271_828, 314_159);

const INITIAL: &str = "test_initial_metadata_value";
const TRAILING: &[u8] = b"\xab\xab\xab";

pub(super) async fn empty_unary(client: &InteropClient) -> io::Result<()> {
    let response = ok("EmptyCall", client.empty_call(Empty {}).await)?;
    same("EmptyCall answers", response.get_ref(), &Empty {})
}

pub(super) async fn large_unary(client: &InteropClient) -> io::Result<()> {
    let response = ok("UnaryCall", client.unary_call(large()).await)?;
    let payload = response.into_inner().payload.unwrap_or_default();
    same("the answer has in bytes", &payload.body.len(), &LARGE.1)?;
    // Compared apart: nobody wants to read them.
    same("all bytes being zero", &(payload == Payload::zeros(LARGE.1)), &true)
}

pub(super) async fn custom_metadata(client: &InteropClient) -> io::Result<()> {
    let response = client.unary_call(with_metadata(large())).await;
    // Of an answer of one message, tonic shows head and trailers as one.
    let (metadata, ..) = ok("UnaryCall", response)?.into_parts();
    initial("UnaryCall's metadata", &metadata)?;
    trailing("UnaryCall's metadata", &metadata)?;

    let size = i32::try_from(LARGE.1).map_err(io::Error::other)?;
    let request = StreamingOutputCallRequest {
        response_parameters: vec![ResponseParameters { size, interval_us: 0 }],
        payload: Some(Payload::zeros(LARGE.0)),
        ..Default::default()
    };
    let requests = with_metadata(stream::iter([request]));
    let response: Response<_> = ok("FullDuplexCall", client.full_duplex_call(requests).await)?;
    initial("FullDuplexCall's head", response.metadata())?;
    same(
        "FullDuplexCall's head having the trailing metadata",
        &response.metadata().contains_key(ECHO_TRAILING),
        &false,
    )?;
    let mut answers = response.into_inner();
    while ok("FullDuplexCall", answers.message().await)?.is_some() {}
    let trailers = ok("FullDuplexCall", answers.trailers().await)?.unwrap_or_default();
    trailing("FullDuplexCall's trailers", &trailers)
}

fn large() -> SimpleRequest {
    SimpleRequest {
        response_size: i32::try_from(LARGE.1).expect("it is small"),
        payload: Some(Payload::zeros(LARGE.0)),
        ..Default::default()
    }
}

fn with_metadata<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert(ECHO_INITIAL, MetadataValue::from_static(INITIAL));
    metadata.insert_bin(ECHO_TRAILING, BinaryMetadataValue::from_bytes(TRAILING));
    request
}

fn initial(place: &str, metadata: &MetadataMap) -> io::Result<()> {
    let found = metadata.get(ECHO_INITIAL).map(|value| value.as_bytes().to_vec());
    same(&format!("{place} says of {ECHO_INITIAL}"), &found, &Some(INITIAL.into()))
}

fn trailing(place: &str, metadata: &MetadataMap) -> io::Result<()> {
    let found = metadata.get_bin(ECHO_TRAILING).and_then(|value| value.to_bytes().ok());
    let expected = Some(bytes::Bytes::from_static(TRAILING));
    same(&format!("{place} says of {ECHO_TRAILING}"), &found, &expected)
}
