//! What a configuration says about bodies.

use portway_plugin::value::{ByteSize, FieldValue};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::BodyTemplate;

/// Other bodies for requests, for answers, or for both.
///
/// Only JSON is transformed: `application/json`, `text/json` and every type that ends with
/// `+json`, without a content coding. `Content-Length` is set anew, an entity tag becomes weak and
/// digests are taken off. JSON is read and written again: the order of members and the spelling of
/// numbers may change. Where answers are transformed, the upstream is asked for whole answers
/// without a content coding.
///
/// ```yaml
/// request:
///   patch: [{op: remove, path: /internal}]
/// response:
///   template: '{{"user": {body/name}, "asked": "{request.path}"}}'
/// max_body: 1MiB
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct BodyTransformSpec {
    /// What is done to the bodies of requests. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<TransformSpec>,
    /// What is done to the bodies of answers. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<TransformSpec>,
    /// The longest body that is read. A longer request is refused with 413; for a longer answer
    /// the client gets 502. Default: 1MiB.
    #[serde(default = "one_mebibyte")]
    pub max_body: ByteSize,
}

/// What is done to a body: the patch first, then the template.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct TransformSpec {
    /// Steps of a JSON Patch (RFC 6902), all of which must succeed: else a request is refused with
    /// 422, and for an answer the client gets 502. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patch: Vec<PatchStep>,
    /// The text of the new body. `{body}` stands for the JSON there was, `{body/a/0}` for a part
    /// of it by JSON Pointer (RFC 6901); the values of `request-headers` and the parameters of the
    /// route are there too; `{{` and `}}` are braces. In JSON, a value within quotes is text, and
    /// one without is written as JSON; in HTML and XML values are escaped. What is not there is
    /// empty, or `null`. Default: the body as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<BodyTemplate>,
    /// The type of the new body. Default: `application/json` with a template; else it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<FieldValue>,
    /// Whether a body has to be JSON: others are refused with 415, for answers with 502. Default:
    /// `false`, which leaves them alone.
    #[serde(default)]
    pub required: bool,
}

/// One step of a JSON Patch: `{op: add, path: /a/-, value: 1}`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PatchStep {
    /// What is done.
    pub op: PatchVerb,
    /// Where, as a JSON Pointer: `/users/0/name`; `-` is behind the last element.
    pub path: String,
    /// What is moved or copied, as a JSON Pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value that is added, put in place or expected.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatchVerb {
    /// Adds a value.
    Add,
    /// Takes a value out.
    Remove,
    /// Puts a value in the place of another.
    Replace,
    /// Moves a value.
    Move,
    /// Copies a value.
    Copy,
    /// Fails unless the value is there.
    Test,
}

fn one_mebibyte() -> ByteSize {
    ByteSize::mib(1)
}

/// `null` is a value too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
