//! `set-version`: the version of HTTP the upstream is spoken to in.
//!
//! For a service that speaks both, and one route of it, or one kind of request, that wants the
//! other. What the whole service wants is said by its `http2` and by the scheme of its endpoints;
//! this takes the place of both for the requests it is attached to. It never changes how clients
//! are spoken to, nor whether an endpoint is asked over TLS.

use portway_plugin::{
    Claim, Next, Plugin, Problem, Request, Response, Result, UpstreamVersion, value::HttpVersion,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// The version of HTTP the upstream is spoken to in.
///
/// ```yaml
/// version: 2
/// ```
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub struct SetVersionSpec {
    /// `1.1` or `2`. It takes the place of what the service says by `http2` and by `h2c://`. Over
    /// TLS nothing but this version is offered; without TLS, HTTP/2 is spoken by prior knowledge.
    /// An endpoint that does not speak it makes a 502. Upgrades, such as WebSocket, are asked for
    /// as if `2` were not said. A call of gRPC cannot be made in `1.1`, nor a request in `2` where
    /// the service begins connections with a PROXY protocol header: both are answered 500 with
    /// the code `upstream_version`.
    pub version: HttpVersion,
}

/// Asks for a version.
#[derive(Debug)]
pub struct SetVersion(UpstreamVersion);

impl Plugin for SetVersion {
    const NAME: &'static str = "set-version";
    type Spec = SetVersionSpec;

    fn create(spec: SetVersionSpec) -> Result<Self, Problem> {
        Ok(Self(UpstreamVersion(spec.version)))
    }

    fn claim(&self) -> Claim {
        Claim::OnlyOne
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        request.extensions_mut().insert(self.0);
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use portway_testkit::plugin::Stage;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_request_asks_for_the_version() {
        for (written, version) in [
            (json!("1.1"), HttpVersion::Http11),
            (json!(1.1), HttpVersion::Http11),
            (json!(2), HttpVersion::Http2),
        ] {
            let stage = Stage::of::<SetVersion>(json!({"version": written})).await.unwrap();
            let seen = stage.ask(Method::GET, "/a?b", &[]).await;
            let asked = seen.target().unwrap().extensions().get().copied();
            assert_eq!(asked, Some(UpstreamVersion(version)));
        }
        for bad in [json!({}), json!({"version": 3}), json!({"version": "h2c"})] {
            assert_eq!(Stage::unstarted::<SetVersion>(bad).unwrap_err().code, "bad_value");
        }
    }
}
