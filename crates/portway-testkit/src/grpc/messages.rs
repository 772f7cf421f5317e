//! The messages of `grpc.testing.TestService`, as far as the cases need them.
//!
//! Names, numbers and types of the fields are those of the public `grpc/testing/messages.proto`,
//! so that these bytes mean the same to every implementation.

/// Nothing.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Empty {}

/// Bytes whose meaning nobody looks at.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Payload {
    /// The kind of bytes; there is only 0, "compressible".
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// The bytes, zeros in all cases.
    #[prost(bytes = "bytes", tag = "2")]
    pub body: bytes::Bytes,
}

/// The status with which the server should end the call.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EchoStatus {
    /// The number of a [`tonic::Code`].
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// Any text.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// What `UnaryCall` takes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SimpleRequest {
    /// The kind of payload wanted.
    #[prost(int32, tag = "1")]
    pub response_type: i32,
    /// How many bytes the answer's payload should have.
    #[prost(int32, tag = "2")]
    pub response_size: i32,
    /// Ballast.
    #[prost(message, optional, tag = "3")]
    pub payload: Option<Payload>,
    /// If its code is not 0, the call fails with it.
    #[prost(message, optional, tag = "7")]
    pub response_status: Option<EchoStatus>,
}

/// What `UnaryCall` answers.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SimpleResponse {
    /// As long as it was asked to be.
    #[prost(message, optional, tag = "1")]
    pub payload: Option<Payload>,
}

/// One of the messages `StreamingInputCall` takes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamingInputCallRequest {
    /// What is counted.
    #[prost(message, optional, tag = "1")]
    pub payload: Option<Payload>,
}

/// What `StreamingInputCall` answers.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct StreamingInputCallResponse {
    /// How many bytes all payloads had together.
    #[prost(int32, tag = "1")]
    pub aggregated_payload_size: i32,
}

/// How one of the messages of an answer should be.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ResponseParameters {
    /// How many bytes its payload should have.
    #[prost(int32, tag = "1")]
    pub size: i32,
    /// How long the server should sleep before it sends the message, in microseconds.
    #[prost(int32, tag = "2")]
    pub interval_us: i32,
}

/// What `StreamingOutputCall` takes, and one of the messages `FullDuplexCall` takes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamingOutputCallRequest {
    /// The kind of payload wanted.
    #[prost(int32, tag = "1")]
    pub response_type: i32,
    /// One for each message that should be sent back.
    #[prost(message, repeated, tag = "2")]
    pub response_parameters: Vec<ResponseParameters>,
    /// Ballast.
    #[prost(message, optional, tag = "3")]
    pub payload: Option<Payload>,
    /// If its code is not 0, the call fails with it after those messages.
    #[prost(message, optional, tag = "7")]
    pub response_status: Option<EchoStatus>,
}

/// One of the messages that `StreamingOutputCall` and `FullDuplexCall` answer.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamingOutputCallResponse {
    /// As long as it was asked to be.
    #[prost(message, optional, tag = "1")]
    pub payload: Option<Payload>,
}

impl Payload {
    /// So many zeros.
    #[must_use]
    pub fn zeros(length: usize) -> Self {
        Self { r#type: 0, body: vec![0; length].into() }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_public_definitions() {
        let request = SimpleRequest {
            response_type: 0,
            response_size: 314_159,
            payload: Some(Payload::zeros(2)),
            response_status: Some(EchoStatus { code: 2, message: "no".into() }),
        };
        // response_size: field 2, varint; payload: field 3 with body in field 2;
        // response_status: field 7 with code in field 1 and message in field 2.
        let bytes = b"\x10\xaf\x96\x13\x1a\x04\x12\x02\0\0\x3a\x06\x08\x02\x12\x02no";
        assert_eq!(request.encode_to_vec(), bytes);
        assert_eq!(SimpleRequest::decode(&bytes[..]).unwrap(), request);
    }
}
