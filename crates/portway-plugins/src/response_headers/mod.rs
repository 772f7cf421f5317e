//! `response-headers` in the making.

use http::HeaderMap;
use portway_plugin::{
    Next, Plugin, Problem, Request, Response, Result,
    value::{FieldName, FieldValue},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Changes the header fields of answers.
#[derive(Debug)]
pub struct ResponseHeaders(HeaderMap);

/// Changes the header fields of answers, also of errors.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ResponseHeadersSpec {
    /// Fields to set.
    set: std::collections::BTreeMap<FieldName, FieldValue>,
}

impl Plugin for ResponseHeaders {
    const NAME: &'static str = "response-headers";
    type Spec = ResponseHeadersSpec;

    fn create(spec: ResponseHeadersSpec) -> Result<Self, Problem> {
        let fields = spec.set.into_iter();
        Ok(Self(fields.map(|(name, value)| (name.get().clone(), value.get().clone())).collect()))
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let mut response = next.run(request).await;
        let headers = match &mut response {
            Ok(response) => response.headers_mut(),
            Err(error) => error.headers_mut(),
        };
        for (name, value) in &self.0 {
            headers.insert(name, value.clone());
        }
        response
    }
}
