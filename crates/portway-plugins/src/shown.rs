//! URLs as logs show them.

use std::fmt;

use http::Uri;

/// A URL without what its query says, which may be a secret.
pub(crate) struct Shown<'a>(pub(crate) &'a Uri);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(scheme), Some(authority)) = (self.0.scheme_str(), self.0.authority()) {
            write!(f, "{scheme}://{authority}")?;
        }
        f.write_str(self.0.path())?;
        if self.0.query().is_some() { f.write_str("?…") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_not_shown() {
        let shown = |url: &'static str| Shown(&Uri::from_static(url)).to_string();
        assert_eq!(shown("https://a.example:1/b?key=s3cret"), "https://a.example:1/b?…");
        assert_eq!(shown("http://a.example/"), "http://a.example/");
    }
}
