//! JSON values as YAML that people read, and that every reader of YAML takes for the same.

use serde_json::{Map, Value};

/// Keys that people look for first.
const FIRST: &[&str] = &["kind", "namespace", "name", "id", "collection", "owner", "revision"];

/// A value as a document.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => entries(map, 0, true, &mut text),
        Value::Array(items) if !items.is_empty() => list(items, 0, &mut text),
        other => {
            scalar(other, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

/// The entries of a map; the first one where the line already is.
fn entries(map: &Map<String, Value>, depth: usize, mut is_begun: bool, text: &mut String) {
    let place = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut sorted: Vec<_> = map.iter().collect();
    sorted.sort_by_key(|(key, _)| place(key));
    for (key, value) in sorted {
        if !is_begun || depth == 0 {
            indent(depth, text);
        }
        is_begun = false;
        text.push_str(&if is_plain(key) { key.clone() } else { quoted(key) });
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                entries(inner, depth + 1, false, text);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                list(items, depth, text);
            }
            other => {
                text.push(' ');
                scalar(other, depth + 1, text);
                text.push('\n');
            }
        }
    }
}

fn list(items: &[Value], depth: usize, text: &mut String) {
    for item in items {
        indent(depth, text);
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => entries(map, depth + 1, true, text),
            // A list in a list reads best on one line.
            Value::Array(inner) if !inner.is_empty() => {
                text.push_str(&printable(&item.to_string()));
                text.push('\n');
            }
            other => {
                scalar(other, depth + 1, text);
                text.push('\n');
            }
        }
    }
}

fn scalar(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::String(said) if is_plain(said) => text.push_str(said),
        Value::String(said) if is_block(said) => block(said, depth, text),
        Value::String(said) => text.push_str(&quoted(said)),
        // JSON is YAML: numbers, `true`, `null`, `[]`, `{}`.
        other => text.push_str(&other.to_string()),
    }
}

/// In quotes, as JSON has them.
fn quoted(text: &str) -> String {
    printable(&Value::from(text).to_string())
}

/// JSON is YAML, but for characters that YAML does not print.
fn printable(json: &str) -> String {
    let mut printable = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                printable += &format!("\\u{:04x}", u32::from(c));
            }
            _ => printable.push(c),
        }
    }
    printable
}

/// Whether a text of several lines can stand as it is.
fn is_block(text: &str) -> bool {
    let odd = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.contains(odd)
        && !text.lines().any(|line| line.ends_with(' '))
}

fn block(said: &str, depth: usize, text: &mut String) {
    let body = said.trim_end_matches('\n');
    text.push_str(match said.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    // The last line break of all is whoever's calls this.
    let lines =
        if said.len() - body.len() > 1 { said.strip_suffix('\n').unwrap_or(said) } else { body };
    for line in lines.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            indent(depth, text);
            text.push_str(line);
        }
    }
}

/// Whether a text is taken for the same text without quotes, by any reader.
fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let Some(first) = text.chars().next() else { return false };
    let inside = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '+' | ' ' | ':')
    };
    let begins = first.is_ascii_alphabetic() || matches!(first, '_' | '/');
    let counts = first.is_ascii_digit() && is_no_number(text);
    (begins || counts)
        && text.chars().all(inside)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// `30s` and `1MiB` are texts wherever they are read; `12:30`, `1e5` and `0x1f` may be numbers.
fn is_no_number(text: &str) -> bool {
    let has_prefix = ["0x", "0o", "0b"].iter().any(|prefix| text.starts_with(prefix));
    text.contains(|c: char| c.is_ascii_alphabetic())
        && text.parse::<f64>().is_err()
        && !has_prefix
        && !text.contains(':')
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use portway::config::Tree;
    use serde_json::json;

    use super::*;

    #[test]
    fn it_looks_as_people_write_it() {
        let value = json!({
            "spec": {
                "match": { "path": "/cart/{id}", "methods": ["GET", "POST"] },
                "timeouts": { "request": "30s" },
                "plugins": [{ "cors": {}, "when": "a" }, {}],
                "text": "one\ntwo\n",
            },
            "name": "shop",
            "labels": {},
        });
        assert_eq!(
            document(&value),
            "name: shop\n\
             spec:\n  \
               match:\n    path: \"/cart/{id}\"\n    methods:\n    - GET\n    - POST\n  \
               timeouts:\n    request: 30s\n  \
               plugins:\n  - cors: {}\n    when: a\n  - {}\n  \
               text: |\n    one\n    two\n\
             labels: {}\n"
        );
    }

    #[test]
    fn it_is_read_as_it_was() {
        let texts = [
            "",
            " ",
            "a",
            "true",
            "No",
            "null",
            "~",
            "1",
            "1.5",
            "1e5",
            "0x1f",
            "12:30",
            "30s",
            "2024-01-01",
            "2024-01-01T00:00:00Z",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "'a'",
            "\"a\"",
            "a\nb",
            "a\nb\n",
            "a\nb\n\n",
            "\na\nb",
            " a\nb",
            "a \nb",
            "a\n\nb",
            "a\tb\nc",
            "\u{7f}",
            "\u{2028}",
            "\u{feff}a",
            "ü",
            "a\u{0}b",
            "?",
            "? a",
            "|",
            ">",
            "=",
            "<<",
            ".inf",
            "+1",
            "_1",
            "\n",
            "a\r\nb",
            "---",
            "--- a",
            "...",
            "/a/*",
            "http://a:80/b?c=d",
            "$2b$",
            "1_000",
            "1:2",
        ];
        // Whoever has a key `<<` gets a merge, quotes or not.
        let keys = texts.iter().filter(|text| **text != "<<");
        let whole = json!({
            "texts": texts.to_vec(),
            "keys": keys.map(|text| (text.to_string(), json!(1))).collect::<Map<_, _>>(),
            "deep": texts.iter().map(|text| json!({ "a": { "b": text, "c": [text, [text, { "d": text }]] } })).collect::<Vec<_>>(),
            "others": [1, -1, 1.5, true, false, null, [], {}, [[]], [{}], u64::MAX],
        });
        for value in [&whole, &whole["texts"], &whole["deep"], &json!("a: b"), &json!([])] {
            let text = document(value);
            let tree = Tree::parse(&text, "x.yaml").unwrap_or_else(|p| panic!("{p:?}\n{text}"));
            assert_eq!(tree.to_json(), *value, "{text}");
        }
    }
}
