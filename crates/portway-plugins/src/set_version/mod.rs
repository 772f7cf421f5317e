//! `set-version`: asks for a version of HTTP on the way to the upstream.
//!
//! It sets the version of the request, and that is a wish. The gateway speaks with an endpoint as
//! its URL says (`http`, `h2c`) and as TLS has settled it (`https`), and leaves a version it
//! cannot speak there unheard. It never changes what the client speaks.

use http::Version;
use portway_plugin::{Next, Plugin, Problem, Request, Response, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// The version of HTTP that is wished for on the way to the upstream.
///
/// ```yaml
/// version: http/1.1
/// ```
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub struct SetVersionSpec {
    /// `http/1.1` or `http/2`. A wish: the endpoint's URL decides between `http` and `h2c`, and
    /// TLS between what both sides speak.
    pub version: WishedVersion,
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum WishedVersion {
    /// HTTP/1.1.
    #[serde(rename = "http/1.1")]
    Http11,
    /// HTTP/2.
    #[serde(rename = "http/2")]
    Http2,
}

/// Asks for a version of HTTP.
#[derive(Debug)]
pub struct SetVersion(Version);

impl Plugin for SetVersion {
    const NAME: &'static str = "set-version";
    type Spec = SetVersionSpec;

    fn create(spec: SetVersionSpec) -> Result<Self, Problem> {
        Ok(Self(match spec.version {
            WishedVersion::Http11 => Version::HTTP_11,
            WishedVersion::Http2 => Version::HTTP_2,
        }))
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        *request.version_mut() = self.0;
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use portway_testkit::plugin::Stage;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_request_has_the_version() {
        for (text, version) in [("http/1.1", Version::HTTP_11), ("http/2", Version::HTTP_2)] {
            let stage = Stage::of::<SetVersion>(json!({"version": text})).await.unwrap();
            assert_eq!(stage.get("/").await.target().unwrap().version(), version);
        }
        for bad in [json!({}), json!({"version": "http/3"}), json!({"version": 2})] {
            assert_eq!(Stage::unstarted::<SetVersion>(bad).unwrap_err().code, "bad_value");
        }
    }
}
