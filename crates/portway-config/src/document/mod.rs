//! Text becomes a tree in which every key and every value knows its place.
//!
//! YAML, JSON and TOML give the same tree. This room knows nothing of gateways: it reports what
//! makes a text unreadable or ambiguous (syntax, duplicate keys, a second document, an alias that
//! explodes), and leaves what the tree means to those who walk it.

mod json;
mod keys;
mod limits;
mod node;
mod outline;
mod path;
mod scalar;
#[cfg(feature = "toml")]
mod toml;
#[cfg(not(feature = "toml"))]
#[path = "no_toml.rs"]
mod toml;
mod yaml;

pub(crate) use node::{Entry, Mark, Node, Span, Text, Value};
pub(crate) use outline::Outline;
pub(crate) use path::Trail;
pub(crate) use scalar::plain;

use portway_plugin::{Place, Problem};

/// Reads `text` as the format its name or its content says. The tree is missing when nothing
/// could be read; problems may come with a tree all the same.
pub(crate) fn parse(text: &str, file: &str) -> (Option<Node>, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = limits::readable(text).and_then(|()| match syntax(text, file) {
        Syntax::Json => json::parse(text),
        Syntax::Toml => toml::parse(text),
        Syntax::Yaml => yaml::parse(text),
    });
    let (node, unplaced) = match parsed {
        Ok(mut node) => {
            let problems = keys::make_unique(&mut node);
            (Some(node), problems)
        }
        Err(flaws) => (None, flaws),
    };
    (node, unplaced.into_iter().map(|flaw| flaw.placed(file)).collect())
}

/// Something wrong with a text, before it is known what the file is called.
pub(crate) struct Flaw {
    problem: Box<Problem>,
    mark: Mark,
}

impl Flaw {
    fn new(problem: Problem, mark: Mark) -> Self {
        Self { problem: Box::new(problem), mark }
    }

    fn syntax(message: String, mark: Mark) -> Self {
        Self::new(Problem::new("syntax", message), mark)
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.problem.hint = Some(hint.into());
        self
    }

    fn placed(self, file: &str) -> Problem {
        Problem { place: Some(self.mark.place(file)), ..*self.problem }
    }
}

impl Mark {
    /// From counts that begin with 1.
    pub(crate) fn counted(line: usize, column: usize) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: count(line), column: count(column) }
    }

    pub(crate) fn place(self, file: &str) -> Place {
        Place { file: file.to_owned(), line: self.line, column: self.column }
    }
}

enum Syntax {
    Yaml,
    Json,
    Toml,
}

/// The extension decides; without a known one, the first character that counts: JSON begins with
/// a brace, TOML with a table's bracket or `key =`.
fn syntax(text: &str, file: &str) -> Syntax {
    let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("yaml" | "yml") => return Syntax::Yaml,
        Some("json") => return Syntax::Json,
        Some("toml") => return Syntax::Toml,
        _ => {}
    }
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = lines.next() else { return Syntax::Yaml };
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | ' ');
    if first.starts_with('{') {
        Syntax::Json
    } else if (first.starts_with('[') && first.ends_with(']') && !first.contains([',', ':']))
        || first.split_once('=').is_some_and(|(key, _)| key.chars().all(bare))
    {
        Syntax::Toml
    } else {
        Syntax::Yaml
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, file: &str) -> String {
        let (node, problems) = parse(text, file);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        match node {
            Some(node) if problems.is_empty() => node.to_json().to_string(),
            Some(node) => format!("{} {}", node.to_json(), problems.join("\n")),
            None => problems.join("\n"),
        }
    }

    #[test]
    fn the_three_formats_give_one_tree() {
        let json = r#"{"services":[{"name":"a","port":80,"on":true,"share":0.5}]}"#;
        assert_eq!(shown(json, "x.json"), json);
        assert_eq!(shown(json, "x"), json);
        assert_eq!(
            shown("services:\n- name: a\n  port: 80\n  on: true\n  share: 0.5\n", "x"),
            json
        );
        assert_eq!(
            shown("[[services]]\nname = \"a\"\non = true\nport = 80\nshare = 0.5\n", "x"),
            r#"{"services":[{"name":"a","on":true,"port":80,"share":0.5}]}"#
        );
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_change_nothing() {
        assert_eq!(shown("\u{feff}a: 1\r\nb: x\r\n", "x.yaml"), r#"{"a":1,"b":"x"}"#);
        assert_eq!(shown("\u{feff}{\r\n\"a\": 1}\r\n", "x.json"), r#"{"a":1}"#);
        assert_eq!(shown("\u{feff}a = 1\r\n", "x.toml"), r#"{"a":1}"#);
    }

    #[test]
    fn a_file_torn_by_a_crash_is_refused() {
        assert_eq!(
            shown("a: 1\nb\0\0\0", "x.yaml"),
            "x.yaml:2:2: the control character U+0000 is not text (control_character)"
        );
    }
}
