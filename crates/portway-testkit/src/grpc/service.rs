//! The methods of `grpc.testing.TestService` and of nothing else.

use std::future::{Ready, ready};
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, BoxStream};
use tonic::server::{
    ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService,
};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::messages::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};

pub(super) const EMPTY_CALL: &str = "/grpc.testing.TestService/EmptyCall";
pub(super) const UNARY_CALL: &str = "/grpc.testing.TestService/UnaryCall";
pub(super) const STREAMING_OUTPUT_CALL: &str = "/grpc.testing.TestService/StreamingOutputCall";
pub(super) const STREAMING_INPUT_CALL: &str = "/grpc.testing.TestService/StreamingInputCall";
pub(super) const FULL_DUPLEX_CALL: &str = "/grpc.testing.TestService/FullDuplexCall";

/// No payload is longer, whoever asks for it: a message of gRPC is at most 4 MiB unless both ends
/// agreed on more.
const LONGEST_PAYLOAD: usize = 4 * 1024 * 1024 - 1024;

/// Answers one call.
pub(super) async fn answer(request: http::Request<Incoming>) -> http::Response<Body> {
    match request.uri().path() {
        EMPTY_CALL => Grpc::new(ProstCodec::default()).unary(EmptyCall, request).await,
        UNARY_CALL => Grpc::new(ProstCodec::default()).unary(UnaryCall, request).await,
        STREAMING_OUTPUT_CALL => {
            Grpc::new(ProstCodec::default()).server_streaming(StreamingOutputCall, request).await
        }
        STREAMING_INPUT_CALL => {
            Grpc::new(ProstCodec::default()).client_streaming(StreamingInputCall, request).await
        }
        FULL_DUPLEX_CALL => {
            Grpc::new(ProstCodec::default()).streaming(FullDuplexCall, request).await
        }
        path => Status::unimplemented(format!("there is no method {path}")).into_http(),
    }
}

struct EmptyCall;
struct UnaryCall;
struct StreamingOutputCall;
struct StreamingInputCall;
struct FullDuplexCall;

type Answer<T> = Ready<Result<Response<T>, Status>>;
type Outputs = BoxStream<StreamingOutputCallResponse>;

impl UnaryService<Empty> for EmptyCall {
    type Response = Empty;
    type Future = Answer<Empty>;

    fn call(&mut self, _: Request<Empty>) -> Self::Future {
        ready(Ok(Response::new(Empty {})))
    }
}

impl UnaryService<SimpleRequest> for UnaryCall {
    type Response = SimpleResponse;
    type Future = Answer<SimpleResponse>;

    fn call(&mut self, request: Request<SimpleRequest>) -> Self::Future {
        let request = request.into_inner();
        ready(match wanted(request.response_status) {
            Some(status) => Err(status),
            None => payload(request.response_size)
                .map(|payload| Response::new(SimpleResponse { payload: Some(payload) })),
        })
    }
}

impl ServerStreamingService<StreamingOutputCallRequest> for StreamingOutputCall {
    type Response = StreamingOutputCallResponse;
    type ResponseStream = Outputs;
    type Future = Answer<Outputs>;

    fn call(&mut self, request: Request<StreamingOutputCallRequest>) -> Self::Future {
        ready(Ok(Response::new(Box::pin(outputs(request.into_inner())))))
    }
}

impl ClientStreamingService<StreamingInputCallRequest> for StreamingInputCall {
    type Response = StreamingInputCallResponse;
    type Future = BoxFuture<Response<StreamingInputCallResponse>, Status>;

    fn call(&mut self, request: Request<Streaming<StreamingInputCallRequest>>) -> Self::Future {
        Box::pin(async move {
            let mut requests = request.into_inner();
            let mut total = 0_usize;
            while let Some(request) = requests.try_next().await? {
                total += request.payload.map_or(0, |payload| payload.body.len());
            }
            let aggregated_payload_size = i32::try_from(total).map_err(|_| {
                Status::out_of_range(format!("{total} bytes do not fit the answer"))
            })?;
            Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size }))
        })
    }
}

impl StreamingService<StreamingOutputCallRequest> for FullDuplexCall {
    type Response = StreamingOutputCallResponse;
    type ResponseStream = Outputs;
    type Future = Answer<Outputs>;

    fn call(&mut self, request: Request<Streaming<StreamingOutputCallRequest>>) -> Self::Future {
        let outputs = request.into_inner().map_ok(outputs).try_flatten();
        ready(Ok(Response::new(Box::pin(outputs))))
    }
}

/// The messages one request asks for, then the failure it asks for.
fn outputs(
    request: StreamingOutputCallRequest,
) -> impl Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send {
    let failure = stream::iter(wanted(request.response_status).map(Err));
    stream::iter(request.response_parameters).then(output).chain(failure)
}

async fn output(parameters: ResponseParameters) -> Result<StreamingOutputCallResponse, Status> {
    let payload = payload(parameters.size)?;
    if let Ok(micros @ 1..) = u64::try_from(parameters.interval_us) {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
    Ok(StreamingOutputCallResponse { payload: Some(payload) })
}

fn wanted(status: Option<EchoStatus>) -> Option<Status> {
    let status = status.filter(|status| status.code != 0)?;
    Some(Status::new(Code::from_i32(status.code), status.message))
}

fn payload(size: i32) -> Result<Payload, Status> {
    match usize::try_from(size) {
        Ok(length @ ..=LONGEST_PAYLOAD) => Ok(Payload::zeros(length)),
        _ => Err(Status::invalid_argument(format!("a payload of {size} bytes is out of bounds"))),
    }
}
