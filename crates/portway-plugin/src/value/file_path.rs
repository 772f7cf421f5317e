//! The path of a file below a root.

use std::{fmt, path::Path, str::FromStr};

use super::text::{InvalidValue, Quoted, text_form};

/// A file below some root, as in `index.html` or `app/index.html`. It cannot lead out of the root
/// by its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilePath(Box<str>);

impl FilePath {
    /// The path, relative to its root, with slashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, relative to its root.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }
}

impl FromStr for FilePath {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = |why: &str| {
            InvalidValue::new(format!("{} is not a file below a root: {why}", Quoted(text)))
        };
        if let Some(rest) = text.strip_prefix('/') {
            let rest = rest.trim_start_matches('/');
            return Err(refused("it begins with a slash").hint(format!("write {rest}")));
        }
        if text.contains(|c: char| c.is_control() || c == '\\') {
            return Err(refused("it has a backslash or a control character in it"));
        }
        match text.split('/').find(|segment| matches!(*segment, "" | "." | "..")) {
            None => Ok(Self(text.into())),
            Some("") if text.is_empty() => Err(refused("it is empty")),
            Some("") => Err(refused("it has an empty segment")),
            Some(_) => Err(refused("it has a dot segment")
                .hint("write the path that is left once it is resolved")),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(FilePath, "portway-file-path", "a file below a root", ["index.html", "app/index.html"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leads_out_of_the_root() {
        for text in ["index.html", "app/index.html", ".hidden", "a b", "a..b", "caf\u{e9}"] {
            assert_eq!(text.parse::<FilePath>().unwrap().to_string(), text);
        }
        for text in ["", "/", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\\b", "a\0"] {
            assert!(text.parse::<FilePath>().is_err(), "{text:?}");
        }
        let error = "/srv/index.html".parse::<FilePath>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"/srv/index.html\" is not a file below a root: it begins with a slash (write \
             srv/index.html)"
        );
    }
}
