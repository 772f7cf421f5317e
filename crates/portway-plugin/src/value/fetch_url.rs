//! URLs of what the gateway asks on its own account.

use std::{fmt, str::FromStr};

use http::Uri;

use super::{
    EndpointScheme, ServiceUrl,
    text::{InvalidValue, Quoted, text_form},
};

/// Where a plugin asks: `https://host[:port]/path[?query]`, or with `http`. It is used as it is
/// written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchUrl(Uri);

impl FetchUrl {
    /// The URL, which is absolute.
    #[must_use]
    pub const fn get(&self) -> &Uri {
        &self.0
    }
}

impl FromStr for FetchUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url: ServiceUrl = text.parse()?;
        if url.unix().is_some()
            || !matches!(url.scheme(), EndpointScheme::Http | EndpointScheme::Https)
        {
            return Err(InvalidValue::new(format!("{} is not a URL of HTTP", Quoted(text)))
                .hint("write https://host/path"));
        }
        text.parse()
            .map(Self)
            .map_err(|_| InvalidValue::new(format!("{} is not a URL", Quoted(text))))
    }
}

impl fmt::Display for FetchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(
    FetchUrl,
    "portway-fetch-url",
    "a URL of http or https",
    ["https://id.example.com/.well-known/jwks.json"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_fetched_is_read() {
        let url: FetchUrl = "https://id.example.com/a/?x=1".parse().unwrap();
        assert_eq!(url.to_string(), "https://id.example.com/a/?x=1");
        for bad in ["", "/a", "ftp://a/", "unix:/run/a", "h2c://a/", "http://u:p@a/", "http://a/#x"]
        {
            assert!(bad.parse::<FetchUrl>().is_err(), "{bad}");
        }
    }
}
