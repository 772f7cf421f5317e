//! What stands behind the question mark.

use std::str::FromStr;

use super::answer::Failure;

/// The most entries that a page of a list has.
const MAX_LIMIT: usize = 1000;

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(query: Option<&str>) -> Self {
        let pairs = query.into_iter().flat_map(|query| query.split('&'));
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The first one of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The names that are there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// A value of a type.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| {
            let detail = format!("the parameter {name} cannot be {text:?}");
            Failure::bad_request("bad_parameter", detail)
        })
    }

    /// How many entries a page of a list may have.
    pub(crate) fn limit(&self, usual: usize) -> Result<usize, Failure> {
        match self.parsed("limit")?.unwrap_or(usual) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            other => {
                let detail = format!("the parameter limit is 1 to {MAX_LIMIT}, not {other}");
                Err(Failure::bad_request("bad_parameter", detail))
            }
        }
    }

    /// A switch: `true`, `false`, or the name alone.
    pub(crate) fn is_set(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(other) => {
                let detail = format!("the parameter {name} is true or false, not {other:?}");
                Err(Failure::bad_request("bad_parameter", detail))
            }
        }
    }
}

/// Undoes the escapes of a part of a URL, where a plus sign stands for a blank.
fn decoded(text: &str) -> String {
    let plain = text.replace('+', " ");
    percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let query = Query::read(Some("a=1&b=x%20y+z&a=2&dry_run&&c=%zz"));
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("b"), Some("x y z"));
        assert_eq!(query.get("c"), Some("%zz"));
        assert!(query.is_set("dry_run").unwrap());
        assert!(!query.is_set("force").unwrap());
        assert!(query.is_set("b").is_err());
        assert_eq!(query.parsed::<u64>("a").unwrap(), Some(1));
        assert!(query.parsed::<u64>("b").is_err());
    }
}
