//! The edits themselves.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use portway_plugin::{
    Problem, Result,
    value::{FieldName, LineTemplate, Quoted, TextTemplate},
};

use super::HeaderEditSpec;
use crate::asked::Asked;

/// Which messages are edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// On the way to the upstream.
    Request,
    /// On the way back.
    Response,
}

/// Fields that frame a message or concern one connection (RFC 9110 section 7.6.1).
const HOPS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Fields by which the gateway tells the upstream who asks.
const OURS: [&str; 7] = [
    "forwarded",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

/// What is done to the fields of a message.
#[derive(Debug)]
pub(crate) struct HeaderEdit {
    remove: Box<[HeaderName]>,
    rename: Box<[(HeaderName, HeaderName)]>,
    set: Box<[(HeaderName, Value)]>,
    add: Box<[(HeaderName, Value)]>,
}

/// A value: the same for all, or made for each request.
#[derive(Debug)]
enum Value {
    Constant(HeaderValue),
    Made(TextTemplate),
}

/// The values that were made for one request, in the order in which they are wanted.
#[derive(Debug, Default)]
pub(crate) struct Made(Vec<Option<HeaderValue>>);

impl HeaderEdit {
    /// Decides everything that does not depend on the request.
    ///
    /// # Errors
    /// A field that is not to be named here, or a spec that contradicts itself.
    pub(crate) fn new(spec: &HeaderEditSpec, side: Side) -> Result<Self, Problem> {
        for (at, name) in spec.remove.iter().enumerate() {
            free(name, side, || format!("remove[{at}]"))?;
            if spec.rename.contains_key(name) {
                let message = format!("{name} is removed before it could be renamed");
                return Err(Problem::new("contradiction", message)
                    .at(format!("rename.{name}"))
                    .hint("leave one of the two out"));
            }
        }
        for (from, to) in &spec.rename {
            free(from, side, || format!("rename.{from}"))?;
            free(to, side, || format!("rename.{from}"))?;
            let mut others = spec.rename.iter().filter(|(other, _)| *other != from);
            if let Some((other, _)) = others.find(|(_, same)| *same == to) {
                let message = format!("{from} and {other} would both be called {to}");
                return Err(Problem::new("contradiction", message).at(format!("rename.{from}")));
            }
        }
        spec.set.keys().try_for_each(|name| free(name, side, || format!("set.{name}")))?;
        spec.add.keys().try_for_each(|name| free(name, side, || format!("add.{name}")))?;
        let name = |name: &FieldName| name.get().clone();
        let many = spec.add.iter().flat_map(|(to, values)| {
            values.as_slice().iter().map(move |value| (name(to), Value::new(value)))
        });
        Ok(Self {
            remove: spec.remove.iter().map(name).collect(),
            rename: spec.rename.iter().map(|(from, to)| (name(from), name(to))).collect(),
            set: spec.set.iter().map(|(to, value)| (name(to), Value::new(value))).collect(),
            add: many.collect(),
        })
    }

    /// Makes the values that depend on the request: while it is there.
    pub(crate) fn make(&self, asked: &Asked<'_>) -> Made {
        let values = self.set.iter().chain(&self.add);
        let made = values.filter_map(|(_, value)| match value {
            Value::Made(template) => Some(asked.field(template)),
            Value::Constant(_) => None,
        });
        Made(made.collect())
    }

    /// Edits the fields of a message.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, made: Made) {
        for name in &self.remove {
            headers.remove(name);
        }
        if !self.rename.is_empty() {
            self.rename(headers);
        }
        let mut made = made.0.into_iter();
        let mut next = |value: &Value| match value {
            Value::Constant(value) => Some(value.clone()),
            Value::Made(_) => made.next().flatten(),
        };
        for (name, value) in &self.set {
            match next(value) {
                Some(value) => drop(headers.insert(name, value)),
                None => drop(headers.remove(name)),
            }
        }
        for (name, value) in &self.add {
            if let Some(value) = next(value) {
                headers.append(name, value);
            }
        }
    }

    /// All old names first: two fields may change places.
    fn rename(&self, headers: &mut HeaderMap) {
        let mut moved = Vec::new();
        for (from, to) in &self.rename {
            if let header::Entry::Occupied(field) = headers.entry(from) {
                let (_, values) = field.remove_entry_mult();
                moved.push((to, values.collect::<Vec<_>>()));
            }
        }
        for (to, values) in moved {
            headers.remove(to);
            for value in values {
                headers.append(to, value);
            }
        }
    }
}

impl Value {
    fn new(template: &LineTemplate) -> Self {
        let constant = template.constant().and_then(|text| HeaderValue::try_from(text).ok());
        constant.map_or_else(|| Self::Made(template.get().clone()), Self::Constant)
    }
}

/// Refuses the fields that are not to be edited.
fn free(name: &FieldName, side: Side, path: impl FnOnce() -> String) -> Result<(), Problem> {
    let text = name.as_str();
    let (why, hint) = if HOPS.contains(&text) {
        ("frames messages or concerns one connection only", "the gateway sees to it")
    } else if side == Side::Request && text == "host" {
        ("decides where a request goes", "use the plugin rewrite: {host: …}")
    } else if side == Side::Request && OURS.contains(&text) {
        ("tells the upstream who asks", "the gateway says that itself")
    } else {
        return Ok(());
    };
    let message = format!("the field {} {why}, so it cannot be edited", Quoted(text));
    Err(Problem::new("forbidden_field", message).at(path()).hint(hint))
}
