//! Where in a document something stands: `services[0].routes[2].match.path`.

use std::fmt;

/// One step from a node to one below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The way from the root to the node in hand. It costs nothing until somebody asks for its text.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'a> {
    Root,
    Below(&'a Trail<'a>, Step<'a>),
}

impl<'a> Trail<'a> {
    pub(crate) fn key(&'a self, key: &'a str) -> Trail<'a> {
        Trail::Below(self, Step::Key(key))
    }

    pub(crate) fn index(&'a self, index: usize) -> Trail<'a> {
        Trail::Below(self, Step::Index(index))
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trail::Below(above, step) = self else { return Ok(()) };
        above.fmt(f)?;
        match step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if !is_word(key) => write!(f, "[{key:?}]"),
            Step::Key(key) if matches!(above, Trail::Root) => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
        }
    }
}

/// Takes the first step off a path. Only words and indices: no check names a quoted key.
pub(super) fn next_step(path: &str) -> Option<(Step<'_>, &str)> {
    if let Some(rest) = path.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return Some((Step::Index(index.parse().ok()?), rest));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    (end > 0).then(|| (Step::Key(&path[..end]), &path[end..]))
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_written_as_people_write_it() {
        let (services, first) = (Trail::Root.key("services"), 0);
        let first = services.index(first);
        let labels = first.key("labels");
        assert_eq!(labels.key("a b").to_string(), "services[0].labels[\"a b\"]");
        assert_eq!(Trail::Root.to_string(), "");
        assert_eq!(next_step("services[0]"), Some((Step::Key("services"), "[0]")));
        assert_eq!(next_step("[0].name"), Some((Step::Index(0), ".name")));
        assert_eq!(next_step(".name"), Some((Step::Key("name"), "")));
        assert_eq!(next_step(""), None);
    }
}
