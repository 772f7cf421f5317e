//! What a value must not do to its surroundings.

use crate::exchange::push_html;

/// How values are put into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// As they are.
    None,
    /// As text or an attribute of HTML or XML.
    Html,
    /// Within a string of JSON or JavaScript.
    Json,
}

impl Escape {
    /// What content of this type needs.
    pub(super) fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "text/html" | "text/xml" | "application/xml" => Self::Html,
            "application/json" | "text/json" | "text/javascript" | "application/javascript" => {
                Self::Json
            }
            kind if kind.ends_with("+xml") => Self::Html,
            kind if kind.ends_with("+json") => Self::Json,
            _ => Self::None,
        }
    }

    /// Appends a value.
    pub(super) fn push(self, value: &str, out: &mut String) {
        match self {
            Self::None => out.push_str(value),
            Self::Html => push_html(value, out),
            Self::Json => value.chars().for_each(|c| push_json(c, out)),
        }
    }
}

/// Also what would end the script or begin the markup that the JSON may stand in, and the line
/// ends that JavaScript knows and JSON does not.
fn push_json(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\'' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' | '\u{7f}' => {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
        plain => out.push(plain),
    }
}

/// Appends a value to a header field. Whatever is not visible ASCII or a space is written as an
/// escape of a URL: no value ends the line (RFC 9110 section 5.5).
pub(super) fn push_field(value: &[u8], out: &mut String) {
    for &byte in value {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_decides() {
        for (kind, escape) in [
            ("text/html", Escape::Html),
            ("Text/HTML; charset=utf-8", Escape::Html),
            ("image/svg+xml", Escape::Html),
            ("application/json", Escape::Json),
            ("application/problem+json", Escape::Json),
            ("text/plain", Escape::None),
            ("text/css", Escape::None),
            ("", Escape::None),
        ] {
            assert_eq!(Escape::of(kind), escape, "{kind}");
        }
    }

    #[test]
    fn no_value_leaves_its_place() {
        let escaped = |escape: Escape, value: &str| {
            let mut out = String::new();
            escape.push(value, &mut out);
            out
        };
        assert_eq!(escaped(Escape::Html, "<a b='\"&"), "&lt;a b=&#39;&quot;&amp;");
        assert_eq!(escaped(Escape::None, "<\r\n"), "<\r\n");
        let nasty: String = ('\0'..='\u{3000}').collect();
        let json = escaped(Escape::Json, &nasty);
        assert!(!json.contains(['<', '>', '&', '\'', '\u{2028}', '\n', '\0']), "{json}");
        let read: String = serde_json::from_str(&format!("\"{json}\"")).expect("JSON");
        assert_eq!(read, nasty);
        let mut field = String::new();
        push_field("a b\r\nX-Evil: 1\0\t\u{e9}\u{7f}".as_bytes(), &mut field);
        assert_eq!(field, "a b%0D%0AX-Evil: 1%00%09%C3%A9%7F");
    }
}
