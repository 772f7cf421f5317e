//! The plugin.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use portway_plugin::{
    Body, Claim, Next, Plugin, Problem, Request, Response, Result, value::MediaPattern,
};

use super::{
    CompressionSpec, Encoding,
    body::Compressed,
    encoder::{Encoder, Levels},
    negotiate::choose,
};
use crate::entity::{body_changes, vary};

/// Compresses answers.
#[derive(Debug)]
pub struct Compression {
    encodings: Box<[Encoding]>,
    min_length: u64,
    types: Box<[MediaPattern]>,
    levels: Levels,
}

impl Plugin for Compression {
    const NAME: &'static str = "compression";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = CompressionSpec;

    fn create(spec: CompressionSpec) -> Result<Self, Problem> {
        for (at, encoding) in spec.encodings.iter().enumerate() {
            if spec.encodings[..at].contains(encoding) {
                let problem = Problem::new("duplicate", "this coding is listed twice");
                return Err(problem.at(format!("encodings[{at}]")));
            }
        }
        for (key, empty) in
            [("encodings", spec.encodings.is_empty()), ("types", spec.types.is_empty())]
        {
            if empty {
                let problem = Problem::new("missing", "nothing is compressed").at(key);
                return Err(problem.hint(format!("leave {key} out for the usual ones")));
            }
        }
        Ok(Self {
            levels: Levels::of(&spec),
            encodings: spec.encodings.into(),
            min_length: spec.min_length.get(),
            types: spec.types.into(),
        })
    }

    fn claim(&self) -> Claim {
        Claim::OnlyOne
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let bodiless = matches!(*request.method(), Method::HEAD | Method::CONNECT);
        let chosen = match says_no_transform(request.headers()) {
            true => None,
            false => choose(request.headers(), &self.encodings),
        };
        let response = next.run(request).await?;
        if !self.may_compress(&response) {
            return Ok(response);
        }
        let (mut head, body) = response.into_parts();
        // Also where it is sent as it is: a cache must not give it to who wants the other.
        vary(&mut head.headers, HeaderValue::from_static("Accept-Encoding"));
        let chosen = chosen.filter(|_| !bodiless && !body.is_end_stream());
        let Some((encoding, encoder)) =
            chosen.and_then(|one| Some((one, Encoder::new(one, self.levels).ok()?)))
        else {
            return Ok(Response::from_parts(head, body));
        };
        body_changes(&mut head.headers);
        let name = HeaderValue::from_static(match encoding {
            Encoding::Br => "br",
            Encoding::Zstd => "zstd",
            Encoding::Gzip => "gzip",
        });
        head.headers.insert(header::CONTENT_ENCODING, name);
        Ok(Response::from_parts(head, Body::stream(Compressed::new(body, encoder))))
    }
}

impl Compression {
    /// Whether some client would get this answer compressed.
    fn may_compress(&self, response: &Response) -> bool {
        let (status, headers) = (response.status(), response.headers());
        let whole = !status.is_informational()
            && !matches!(
                status,
                StatusCode::NO_CONTENT
                    | StatusCode::RESET_CONTENT
                    | StatusCode::PARTIAL_CONTENT
                    | StatusCode::NOT_MODIFIED
            )
            && !headers.contains_key(header::CONTENT_RANGE);
        whole
            && is_plain(headers)
            && !says_no_transform(headers)
            && self.fits(headers)
            && length(response).is_none_or(|length| length >= self.min_length)
    }

    fn fits(&self, headers: &HeaderMap) -> bool {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| {
            !must_flow(kind) && self.types.iter().any(|pattern| pattern.matches(kind))
        })
    }
}

/// What lives from its moment, whatever the list says: others are between, who might wait for
/// more.
fn must_flow(kind: &str) -> bool {
    let begins = |with: &str| {
        kind.as_bytes()
            .get(..with.len())
            .is_some_and(|kind| kind.eq_ignore_ascii_case(with.as_bytes()))
    };
    begins("text/event-stream") || begins("application/grpc") || begins("multipart/x-mixed-replace")
}

fn is_plain(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn says_no_transform(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    let mut words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
}

/// The length of a body, where it is known. An answer to HEAD tells that of a GET.
fn length(response: &Response) -> Option<u64> {
    let told = response.headers().get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse().ok());
    told.or_else(|| response.body().size_hint().exact())
}
