//! A body with gaps for what requests say.

use bytes::Bytes;
use portway_plugin::{
    Body, Escape,
    value::{InvalidTemplate, TextPart, TextTemplate},
};
use serde_json::Value;

use crate::asked::Asked;

/// A body, cut into its parts once.
#[derive(Debug)]
pub(super) enum Content {
    /// The same for every request.
    Constant(Bytes),
    Made(Box<[TextPart]>, Escape),
}

impl Content {
    /// A text of this type.
    pub(super) fn text(text: &str, content_type: &str) -> Result<Self, InvalidTemplate> {
        let template: TextTemplate = text.parse()?;
        Ok(Self::of(template.parts().to_vec(), Escape::of(content_type)))
    }

    /// JSON, with values in its strings.
    pub(super) fn json(value: &Value) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        push(value, &mut parts)?;
        Ok(Self::of(parts, Escape::Json))
    }

    fn of(parts: Vec<TextPart>, escape: Escape) -> Self {
        let literal = |part: &TextPart| match part {
            TextPart::Literal(text) => Some(text.to_string()),
            TextPart::Capture(_) | TextPart::Request(_) => None,
        };
        match parts.iter().map(literal).collect::<Option<String>>() {
            Some(text) => Self::Constant(text.into()),
            None => Self::Made(parts.into(), escape),
        }
    }

    /// The body for one request.
    pub(super) fn render(&self, asked: &Asked<'_>) -> Body {
        let (parts, escape) = match self {
            Self::Constant(bytes) => return Body::from(bytes.clone()),
            Self::Made(parts, escape) => (parts, escape),
        };
        let mut body = String::with_capacity(256);
        for part in parts {
            match part {
                TextPart::Literal(text) => body.push_str(text),
                TextPart::Capture(_) | TextPart::Request(_) => {
                    escape.push(&String::from_utf8_lossy(&asked.value(part)), &mut body);
                }
            }
        }
        Body::from(body)
    }
}

/// Appends a JSON value.
fn push(value: &Value, parts: &mut Vec<TextPart>) -> Result<(), InvalidTemplate> {
    match value {
        Value::String(text) => {
            literal("\"", parts);
            for part in text.parse::<TextTemplate>()?.parts() {
                match part {
                    TextPart::Literal(text) => literal(&Escape::Json.text(text), parts),
                    value => parts.push(value.clone()),
                }
            }
            literal("\"", parts);
        }
        Value::Array(list) => {
            literal("[", parts);
            for (at, value) in list.iter().enumerate() {
                literal(if at > 0 { "," } else { "" }, parts);
                push(value, parts)?;
            }
            literal("]", parts);
        }
        Value::Object(map) => {
            literal("{", parts);
            for (at, (key, value)) in map.iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                literal(&format!("{comma}\"{}\":", Escape::Json.text(key)), parts);
                push(value, parts)?;
            }
            literal("}", parts);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => literal(&value.to_string(), parts),
    }
    Ok(())
}

/// Appends text to the literal at the end.
fn literal(text: &str, parts: &mut Vec<TextPart>) {
    match parts.last_mut() {
        Some(TextPart::Literal(last)) => *last = format!("{last}{text}").into(),
        _ => parts.push(TextPart::Literal(text.into())),
    }
}
