//! The edit itself.

use std::borrow::Cow;

use http::StatusCode;
use portway_plugin::{
    Error, Exchange, Problem, Result,
    value::{PathPrefix, PathTemplate},
};
use regex::{Captures, Regex};

use super::PathEditSpec;

/// How a path becomes another one.
#[derive(Debug)]
pub(crate) enum PathEdit {
    Full(PathTemplate),
    Prefix { from: PathPrefix, to: PathPrefix },
    Regex { fits: Regex, to: PathTemplate },
}

impl PathEdit {
    /// The one way that is given. `None` where the path stays.
    ///
    /// # Errors
    /// More than one way is given.
    pub(crate) fn new(spec: PathEditSpec) -> Result<Option<Self>, Problem> {
        let given = usize::from(spec.path.is_some())
            + usize::from(spec.prefix.is_some())
            + usize::from(spec.regex.is_some());
        if given > 1 {
            let message = format!("expected one of path, prefix and regex, found {given}");
            return Err(Problem::new("one_of", message).hint("leave the others out"));
        }
        let prefix = spec.prefix.map(|edit| Self::Prefix { from: edit.from, to: edit.to });
        let regex = spec.regex.map(|edit| Self::Regex { fits: edit.fits.compile(), to: edit.to });
        Ok(spec.path.map(Self::Full).or(prefix).or(regex))
    }

    /// The path in place of `path`, which is in its normal form. `None` where it does not fit.
    ///
    /// # Errors
    /// The pieces make a dot segment.
    pub(crate) fn apply(&self, path: &str, exchange: &Exchange<'_>) -> Result<Option<String>> {
        let made = match self {
            Self::Full(template) => Some(render(template, None, exchange)?),
            Self::Prefix { from, to } => from.replace(path, to),
            Self::Regex { fits, to } => match fits.captures(path) {
                Some(groups) => Some(render(to, Some(&groups), exchange)?),
                None => None,
            },
        };
        Ok(made.map(one_slash))
    }
}

fn render(
    template: &PathTemplate,
    groups: Option<&Captures<'_>>,
    exchange: &Exchange<'_>,
) -> Result<String> {
    let value = |name: &str| match groups.and_then(|groups| groups.name(name)) {
        Some(group) => Cow::Borrowed(group.as_str()),
        None => Cow::Owned(exchange.parameter(name).unwrap_or_default()),
    };
    let values: Vec<_> = template.captures().map(|name| (name, value(name))).collect();
    let known = |name: &str| values.iter().find(|(other, _)| *other == name).map(|(_, v)| &**v);
    template.render(known).map_err(|ambiguous| {
        let message = "the path cannot be rewritten without a dot segment";
        Error::client(StatusCode::BAD_REQUEST, "ambiguous_path", message).because(ambiguous)
    })
}

/// Empty segments would make `//host` of a path, which is another server to a browser, and which
/// upstreams take for one slash or two.
fn one_slash(path: String) -> String {
    if !path.contains("//") {
        return path;
    }
    let mut one = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !one.ends_with('/') {
            one.push(character);
        }
    }
    one
}
