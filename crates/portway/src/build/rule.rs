//! What a request must look like.

use std::str::FromStr;

use portway_config::{
    Match, PathMatch, TypedPath, ValueMatch,
    value::{FieldName, InvalidValue, Regex},
};

use super::Texts;

/// Conditions that must all hold. One that is left out always holds. Several rules of a route are
/// alternatives.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    pub(super) one: Match,
    pub(super) texts: Texts,
}

/// What a field or parameter must say.
#[derive(Clone, Copy)]
enum Value<'a> {
    Exact(&'a str),
    Regex(&'a str),
    Any,
}

impl Rule {
    /// One that takes every request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more host: `shop.example`, `*.example.com`.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.one.hosts.extend(self.texts.read(host, "hosts"));
        self
    }

    /// One more method. `GET` implies neither `HEAD` nor `OPTIONS`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.one.methods.extend(self.texts.read(method, "methods"));
        self
    }

    /// The path as a template: `/items/{id}`, `/files/{*rest}`, `/{kind:[a-z]+}`.
    #[must_use]
    pub fn path(mut self, pattern: &str) -> Self {
        self.one.path = self.texts.read(pattern, "path").map(PathMatch::Pattern);
        self
    }

    /// The whole path, byte for byte.
    #[must_use]
    pub fn exact(self, path: &str) -> Self {
        self.typed(path, TypedPath::Exact)
    }

    /// This path and everything below it, by whole segments.
    #[must_use]
    pub fn prefix(self, path: &str) -> Self {
        self.typed(path, TypedPath::Prefix)
    }

    /// A regular expression over the whole path.
    #[must_use]
    pub fn regex(self, regex: &str) -> Self {
        self.typed(regex, TypedPath::Regex)
    }

    fn typed<T: FromStr<Err = InvalidValue>>(
        mut self,
        text: &str,
        kind: impl FnOnce(T) -> TypedPath,
    ) -> Self {
        self.one.path = self.texts.read(text, "path").map(kind).map(PathMatch::Typed);
        self
    }

    /// A header field that must have this value.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.field(name, Value::Exact(value))
    }

    /// A header field whose whole value must match a regular expression.
    #[must_use]
    pub fn header_regex(self, name: &str, regex: &str) -> Self {
        self.field(name, Value::Regex(regex))
    }

    /// A header field that must be there.
    #[must_use]
    pub fn has_header(self, name: &str) -> Self {
        self.field(name, Value::Any)
    }

    /// A query parameter that must have this value.
    #[must_use]
    pub fn query(self, name: &str, value: &str) -> Self {
        self.parameter(name, Value::Exact(value))
    }

    /// A query parameter whose whole value must match a regular expression.
    #[must_use]
    pub fn query_regex(self, name: &str, regex: &str) -> Self {
        self.parameter(name, Value::Regex(regex))
    }

    /// A query parameter that must be there.
    #[must_use]
    pub fn has_query(self, name: &str) -> Self {
        self.parameter(name, Value::Any)
    }

    /// Changes anything else about it.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut Match)) -> Self {
        change(&mut self.one);
        self
    }

    fn field(mut self, name: &str, value: Value<'_>) -> Self {
        if let Some(name) = self.texts.read::<FieldName>(name, "headers") {
            let one = self.condition(name, value, "headers");
            self.one.headers.push(one);
        }
        self
    }

    fn parameter(mut self, name: &str, value: Value<'_>) -> Self {
        let one = self.condition(name.to_owned(), value, "query");
        self.one.query.push(one);
        self
    }

    fn condition<N>(&mut self, name: N, value: Value<'_>, field: &str) -> ValueMatch<N> {
        let (exact, regex) = match value {
            Value::Exact(value) => (Some(value.to_owned()), None),
            Value::Regex(regex) => (None, self.texts.read::<Regex>(regex, field)),
            Value::Any => (None, None),
        };
        ValueMatch { name, exact, regex }
    }
}
