//! What a value must not do to the body it is put into.

/// How values that others chose are put into a body, so that none leaves its place.
///
/// ```
/// use portway_plugin::Escape;
///
/// let escape = Escape::of("text/html; charset=utf-8");
/// assert_eq!(format!("<p>{}</p>", escape.text("<b>")), "<p>&lt;b&gt;</p>");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As they are.
    None,
    /// As text or an attribute of HTML or XML.
    Html,
    /// Within a string of JSON or JavaScript.
    Json,
}

impl Escape {
    /// What content of this type needs: JSON and JavaScript, HTML and XML (RFC 6839 for what ends
    /// with `+json` and `+xml`), and nothing for all else.
    #[must_use]
    pub fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let ends = |suffix: &str| kind.ends_with(suffix);
        if kind == "text/html" || ends("/xml") || ends("+xml") {
            Self::Html
        } else if ends("/json") || ends("+json") || ends("/javascript") {
            Self::Json
        } else {
            Self::None
        }
    }

    /// Appends a value.
    pub fn push(self, value: &str, out: &mut String) {
        match self {
            Self::None => out.push_str(value),
            Self::Html => value.chars().for_each(|character| push_html(character, out)),
            Self::Json => value.chars().for_each(|character| push_json(character, out)),
        }
    }

    /// The value, escaped.
    #[must_use]
    pub fn text(self, value: &str) -> String {
        let mut out = String::with_capacity(value.len());
        self.push(value, &mut out);
        out
    }
}

fn push_html(character: char, out: &mut String) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        plain => out.push(plain),
    }
}

/// Also what would end a script the JSON may stand in, and the line ends that only JavaScript
/// knows.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_decides() {
        for (kind, escape) in [
            ("Text/HTML; charset=utf-8", Escape::Html),
            ("image/svg+xml", Escape::Html),
            ("application/xml", Escape::Html),
            ("application/problem+json", Escape::Json),
            ("application/json", Escape::Json),
            ("text/javascript", Escape::Json),
            ("text/plain", Escape::None),
            ("", Escape::None),
        ] {
            assert_eq!(Escape::of(kind), escape, "{kind}");
        }
    }

    #[test]
    fn no_value_leaves_its_place() {
        assert_eq!(Escape::Html.text("<a b='\"&"), "&lt;a b=&#39;&quot;&amp;");
        assert_eq!(Escape::None.text("<\r\n"), "<\r\n");
        let nasty: String = ('\0'..='\u{3000}').collect();
        let json = Escape::Json.text(&nasty);
        assert!(!json.contains(['<', '>', '&', '\'', '\u{2028}', '\n', '\0']), "{json}");
        let read: String = serde_json::from_str(&format!("\"{json}\"")).expect("JSON");
        assert_eq!(read, nasty);
    }
}
