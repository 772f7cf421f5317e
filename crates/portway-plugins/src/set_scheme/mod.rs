//! `set-scheme`: tells the upstream that clients came by another scheme than they did.
//!
//! For services behind a load balancer that takes TLS off, and that the listener does not trust
//! to say so itself. It sets `X-Forwarded-Proto`. It never changes how the gateway speaks with an
//! endpoint, which is what the endpoint's URL says, and nothing the gateway itself decides by the
//! client's scheme: routes, redirects and templates still see the real one.

use http::{HeaderName, HeaderValue};
use portway_plugin::{Claim, Next, Plugin, Problem, Request, Response, Result, value::Scheme};
use schemars::JsonSchema;
use serde::Deserialize;

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The scheme the upstream is told, in `X-Forwarded-Proto`.
///
/// ```yaml
/// scheme: https
/// ```
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub struct SetSchemeSpec {
    /// `http` or `https`. It takes the place of what the client or a proxy before it said. How the
    /// endpoint is spoken to does not change.
    pub scheme: Scheme,
}

/// Tells the upstream another scheme.
#[derive(Debug)]
pub struct SetScheme(HeaderValue);

impl Plugin for SetScheme {
    const NAME: &'static str = "set-scheme";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = SetSchemeSpec;

    fn create(spec: SetSchemeSpec) -> Result<Self, Problem> {
        Ok(Self(HeaderValue::from_static(spec.scheme.as_str())))
    }

    fn claim(&self) -> Claim {
        Claim::OnlyOne
    }

    async fn call(&self, mut request: Request, next: Next<'_>) -> Result<Response> {
        request.headers_mut().insert(X_FORWARDED_PROTO, self.0.clone());
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
    async fn the_upstream_is_told_once() {
        for scheme in ["http", "https"] {
            let stage = Stage::of::<SetScheme>(json!({"scheme": scheme})).await.unwrap();
            let claims = [("x-forwarded-proto", "ftp"), ("x-forwarded-proto", "gopher")];
            let seen = stage.ask(Method::GET, "/a?b", &claims).await;
            let target = seen.target().unwrap();
            let told: Vec<_> = target.headers().get_all("x-forwarded-proto").iter().collect();
            assert_eq!(told, [scheme]);
            assert_eq!(target.uri(), "/a?b");
        }
        for bad in [json!({}), json!({"scheme": "h2c"}), json!({"scheme": "https\r\n"})] {
            assert_eq!(Stage::unstarted::<SetScheme>(bad).unwrap_err().code, "bad_value");
        }
    }
}
