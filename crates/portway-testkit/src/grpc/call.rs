//! What is the same for every call, whatever its method: its head is looked at, its metadata sent
//! back, its deadline kept and its end counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::service;

/// A value of this is sent back in the head of the answer.
pub(super) const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// A value of this is sent back in the trailers. The suffix says that it is base64.
pub(super) const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) calls: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) cancelled: AtomicU64,
}

/// Serves one call up to the head of its answer; the body does the rest.
pub(super) async fn serve(
    counts: Arc<Counts>,
    request: http::Request<Incoming>,
) -> http::Response<CallBody> {
    let call = Call::begin(counts);
    if let Some(refusal) = refuse(request.headers()) {
        return call.finish(refusal);
    }
    let initial = request.headers().get(ECHO_INITIAL).cloned();
    let trailing = request.headers().get(ECHO_TRAILING).cloned();
    let deadline = match timeout(request.headers()) {
        Ok(timeout) => timeout.map(|timeout| Instant::now() + timeout),
        Err(status) => return call.finish(status.into_http()),
    };

    let answer = service::answer(request);
    let mut response = match deadline {
        None => answer.await,
        Some(deadline) => match timeout_at(deadline, answer).await {
            Ok(response) => response,
            Err(_) => return call.finish(too_late().into_http()),
        },
    };
    if let Some(value) = initial {
        response.headers_mut().insert(ECHO_INITIAL, value);
    }
    // Without a body there are no trailers; the head has the status then.
    if http_body::Body::is_end_stream(response.body()) {
        return call.finish(response);
    }
    let deadline = deadline.map(|deadline| Box::pin(sleep_until(deadline)));
    response.map(|inner| CallBody { inner, trailing, deadline, call })
}

/// The body of an answer, with what this server adds to it.
pub(super) struct CallBody {
    inner: Body,
    trailing: Option<HeaderValue>,
    deadline: Option<Pin<Box<Sleep>>>,
    call: Call,
}

impl http_body::Body for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.call.finished {
            return Poll::Ready(None);
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.call.finished = true;
            let mut trailers = HeaderMap::new();
            too_late().add_header(&mut trailers)?;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let mut frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &mut frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    self.call.finished = true;
                    if let Some(value) = self.trailing.take() {
                        trailers.insert(ECHO_TRAILING, value);
                    }
                }
            }
            Some(Err(_)) | None => self.call.finished = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.call.finished
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A call under way, counted until it is dropped.
struct Call {
    counts: Arc<Counts>,
    finished: bool,
}

impl Call {
    fn begin(counts: Arc<Counts>) -> Self {
        counts.calls.fetch_add(1, Ordering::Relaxed);
        counts.open.fetch_add(1, Ordering::Relaxed);
        Self { counts, finished: false }
    }

    /// Ends it with an answer whose head says all.
    fn finish(mut self, response: http::Response<Body>) -> http::Response<CallBody> {
        self.finished = true;
        response.map(|inner| CallBody { inner, trailing: None, deadline: None, call: self })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.finished {
            self.counts.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Refuses what is not a call of gRPC, in HTTP, and a call that came through a proxy which may
/// lose trailers, in gRPC. For the latter `te` is in every request ("Requests" in gRPC's
/// description of itself over HTTP/2).
fn refuse(headers: &HeaderMap) -> Option<http::Response<Body>> {
    let media_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if !matches!(media_type, b"application/grpc" | b"application/grpc+proto") {
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Some(response);
    }
    headers
        .get(header::TE)
        .is_none_or(|te| te != "trailers")
        .then(|| Status::internal("the request came without te: trailers").into_http())
}

/// The time `grpc-timeout` gives: at most eight digits and a unit.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let malformed = || Status::invalid_argument(format!("malformed grpc-timeout {value:?}"));
    let (unit, digits) = value.as_bytes().split_last().ok_or_else(malformed)?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let amount = digits.iter().fold(0, |amount, digit| amount * 10 + u64::from(digit - b'0'));
    Ok(Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return Err(malformed()),
    }))
}

fn too_late() -> Status {
    Status::deadline_exceeded("the server was not ready in time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Option<Duration>) {
        let headers = HeaderMap::from_iter([(
            header::HeaderName::from_static("grpc-timeout"),
            HeaderValue::from_str(value).unwrap(),
        )]);
        assert_eq!(timeout(&headers).ok().flatten(), expected, "{value:?}");
    }

    #[test]
    fn a_timeout_is_up_to_eight_digits_and_a_unit() {
        assert_eq!(timeout(&HeaderMap::new()).unwrap(), None);
        check("100m", Some(Duration::from_millis(100)));
        check("1n", Some(Duration::from_nanos(1)));
        check("25u", Some(Duration::from_micros(25)));
        check("7S", Some(Duration::from_secs(7)));
        check("2M", Some(Duration::from_secs(120)));
        check("99999999H", Some(Duration::from_secs(99_999_999 * 3600)));
        for malformed in ["", "m", "100", "100s", "-1m", "1 m", "123456789m"] {
            check(malformed, None);
        }
    }
}
