//! Which hosts belong to a domain.

use std::{fmt, str::FromStr};

use super::{
    Regex,
    text::{InvalidValue, Quoted, text_form},
};

/// A host to compare with, in five forms: `shop.example.com` is one host, `shop.*` every host that
/// begins so, `*.example.com` every host that ends so, `*shop*` every host with that in it, and
/// `/[a-z]+\.example\.com/` every host that is whole as the regular expression says. `*` is any
/// host. It is in lower case and has no port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainPattern {
    text: Box<str>,
    form: DomainForm,
}

/// How a [`DomainPattern`] compares. The order of the variants is their precedence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DomainForm {
    /// The host is this.
    Exact(Box<str>),
    /// The host begins with this.
    Prefix(Box<str>),
    /// The host ends with this.
    Suffix(Box<str>),
    /// The host has this in it. Empty, it is any host.
    Contains(Box<str>),
    /// The whole host is as the expression says.
    Regex(Regex),
}

impl DomainPattern {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it compares.
    #[must_use]
    pub fn form(&self) -> &DomainForm {
        &self.form
    }

    /// Of two patterns that take one host, the one of the smaller rank decides: exact before
    /// prefix and suffix, those before contains, that before an expression; of one kind, the
    /// longer one.
    #[must_use]
    pub fn rank(&self) -> (u8, std::cmp::Reverse<usize>) {
        let kind = match &self.form {
            DomainForm::Exact(_) => 0,
            DomainForm::Prefix(_) | DomainForm::Suffix(_) => 1,
            DomainForm::Contains(_) => 2,
            DomainForm::Regex(_) => 3,
        };
        (kind, std::cmp::Reverse(self.text.len()))
    }

    /// Whether it takes `host`, which is in lower case and has no port.
    #[must_use]
    pub fn takes(&self, host: &str) -> bool {
        match &self.form {
            DomainForm::Exact(name) => **name == *host,
            DomainForm::Prefix(start) => host.starts_with(&**start),
            DomainForm::Suffix(end) => host.ends_with(&**end),
            DomainForm::Contains(part) => host.contains(&**part),
            DomainForm::Regex(regex) => regex.is_match(host),
        }
    }
}

impl FromStr for DomainPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let refused = |why: &str| {
            InvalidValue::new(format!("{} is not a domain pattern: {why}", Quoted(text)))
        };
        if text.is_empty() {
            return Err(refused("it is empty"));
        }
        if let Some(expression) = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            let regex = expression.parse()?;
            return Ok(Self { text: text.into(), form: DomainForm::Regex(regex) });
        }
        let lower = text.to_ascii_lowercase();
        let (before, after) = (lower.starts_with('*'), lower.len() > 1 && lower.ends_with('*'));
        let middle = lower.trim_matches('*');
        if middle.contains('*') {
            return Err(refused("a star stands at the beginning, at the end, or at both")
                .hint("for anything else write a regular expression between slashes"));
        }
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        if let Some(bad) = middle.chars().find(|c| !allowed(*c)) {
            return Err(refused(&format!("it contains '{}'", bad.escape_debug()))
                .hint("international names are written in their xn-- form, without a scheme"));
        }
        if middle.contains(':') && !middle.contains('[') {
            return Err(refused("it has a port").hint("the port a client used is not compared"));
        }
        let middle = Box::from(middle);
        let form = match (before, after) {
            (false, false) => DomainForm::Exact(middle),
            (false, true) => DomainForm::Prefix(middle),
            (true, false) if !middle.is_empty() => DomainForm::Suffix(middle),
            (true, _) => DomainForm::Contains(middle),
        };
        Ok(Self { text: lower.into(), form })
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

text_form!(
    DomainPattern,
    "portway-domain-pattern",
    "a domain pattern",
    ["shop.example.com", "*.example.com", "shop.*", "*shop*", "/[a-z]+\\.example\\.com/"]
);

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(pattern: &str, host: &str) -> bool {
        pattern.parse::<DomainPattern>().unwrap().takes(host)
    }

    #[test]
    fn each_form_takes_its_hosts() {
        for (pattern, host, taken) in [
            ("Shop.example.com", "shop.example.com", true),
            ("shop.example.com", "a.shop.example.com", false),
            ("shop.*", "shop.example.com", true),
            ("shop.*", "my.shop.com", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*example.com", "example.com", true),
            ("*shop*", "my.shop.com", true),
            ("**shop**", "my.shop.com", true),
            ("*", "anything", true),
            (r"/[a-z]+\.example\.com/", "shop.example.com", true),
            (r"/[a-z]+\.example\.com/", "shop1.example.com", false),
            (r"/[a-z]+\.example\.com/", "x.shop.example.com.evil", false),
        ] {
            assert_eq!(takes(pattern, host), taken, "{pattern} {host}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        for (text, why) in [
            ("", "it is empty"),
            ("a.*.com", "between slashes"),
            ("http://a.com", "without a scheme"),
            ("a.com:80", "it has a port"),
            ("/(/", "regular expression"),
        ] {
            let error = text.parse::<DomainPattern>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_narrower_pattern_ranks_first() {
        let mut patterns: Vec<DomainPattern> = ["/.*/", "*a*", "*.a.com", "*.com", "a.com", "a.*"]
            .map(|text| text.parse().unwrap())
            .into();
        patterns.sort_by_key(DomainPattern::rank);
        let shown: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a.com", "*.a.com", "*.com", "a.*", "*a*", "/.*/"]);
    }
}
