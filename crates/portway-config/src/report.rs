//! Problems as people read them: the line, a mark under what is wrong, what to do about it.

use std::{collections::BTreeMap, fmt::Write, sync::OnceLock};

use portway_plugin::{Place, Problem};
use regex::Regex;

/// Whether a report has colours: only a terminal should get them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// ANSI escapes.
    Ansi,
    /// Plain text.
    None,
}

/// The texts that problems may be in, by the name of their file.
#[derive(Clone, Debug, Default)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    /// One text.
    #[must_use]
    pub fn of(file: impl Into<String>, text: impl Into<String>) -> Self {
        Self([(file.into(), text.into())].into())
    }

    /// The lines of each.
    fn lines(&self) -> Lines<'_> {
        let texts = self.0.iter().map(|(file, text)| {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            (&**file, text.lines().collect())
        });
        texts.collect()
    }
}

impl FromIterator<(String, String)> for Texts {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(texts: I) -> Self {
        Self(texts.into_iter().collect())
    }
}

type Lines<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Renders problems with excerpts of the texts they are in. Of a text only its lines are shown, so
/// what references brought in stays hidden.
#[must_use]
pub fn render(problems: &[Problem], texts: &Texts, colour: Colour) -> String {
    rendered("error", Paint(colour, "1;31"), problems, texts)
}

/// Renders warnings as [`render`] renders problems.
#[must_use]
pub fn render_warnings(warnings: &[Problem], texts: &Texts, colour: Colour) -> String {
    rendered("warning", Paint(colour, "1;33"), warnings, texts)
}

/// The most columns of a line that are shown: a minified document is one line.
const WIDTH: usize = 100;

fn rendered(word: &str, paint: Paint, problems: &[Problem], texts: &Texts) -> String {
    let lines = texts.lines();
    let mut report = String::new();
    for problem in problems {
        if !report.is_empty() {
            report.push('\n');
        }
        let head = paint.on(&format!("{word}[{}]", problem.code));
        let colon = paint.bold(&format!(": {}", problem.message));
        // Writing to a string cannot fail.
        let _ = writeln!(report, "{head}{colon}");
        let margin = match &problem.place {
            Some(place) => excerpt(&mut report, place, &problem.path, &lines, paint),
            None if problem.path.is_empty() => 2,
            None => {
                let _ = writeln!(report, "  {} {}", paint.dim("-->"), problem.path);
                2
            }
        };
        if let Some(hint) = &problem.hint {
            let _ = writeln!(report, "{:margin$} {} hint: {hint}", "", paint.dim("="));
        }
    }
    report
}

/// Writes the place and its line, and returns the width of the line number.
fn excerpt(
    report: &mut String,
    place: &Place,
    path: &str,
    lines: &Lines<'_>,
    paint: Paint,
) -> usize {
    let Place { file, line, column } = place;
    let number = line.to_string();
    let margin = number.len() + 1;
    let arrow = paint.dim("-->");
    let gap = if path.is_empty() { "" } else { "  " };
    let _ = writeln!(report, "{:w$}{arrow} {file}:{line}:{column}{gap}{path}", "", w = margin - 1);
    let index = |n: u32| usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
    let text = lines.get(&**file).and_then(|lines| lines.get(index(*line)));
    let Some(text) = text else { return margin };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut shown: Vec<char> = masked(&text).chars().collect();
    let start = index(*column).min(shown.len());
    if is_secret(path, &shown[start..]) {
        shown[start..].fill(MASK);
    }
    let from = if shown.len() <= WIDTH { 0 } else { start.saturating_sub(WIDTH / 2) };
    let to = shown.len().min(from + WIDTH);
    let cut = if from > 0 { "…" } else { "" };
    let window: String = shown[from..to].iter().collect();
    let rest = if to < shown.len() { "…" } else { "" };
    let bar = paint.dim("|");
    let marks = paint.on(&"^".repeat(marked(&shown[start..to])));
    let indent = start - from + cut.chars().count();
    let window = window.trim_end();
    let _ = writeln!(report, "{:margin$} {bar}", "");
    let _ = writeln!(report, "{number:>margin$} {bar} {cut}{window}{rest}");
    let _ = writeln!(report, "{:margin$} {bar} {:indent$}{marks}", "", "");
    margin
}

/// What stands for each character of a secret.
const MASK: char = '*';
/// The keys whose values are secrets.
const SECRETS: [&str; 2] = ["secret", "hash"];

/// Whether what stands at a path, and is not hidden yet, is a secret, or something in its place.
fn is_secret(path: &str, text: &[char]) -> bool {
    let key = path.rsplit('.').next().unwrap_or_default();
    let list = key.split('[').next().unwrap_or_default();
    let of_consumer = path.starts_with("consumers[");
    let word = || text.iter().take_while(|c| !c.is_whitespace() && !matches!(c, ',' | ']' | '}'));
    // A reference is no secret, and often what is wrong; a map has its secrets hidden one by one.
    let open = || matches!(text.first(), None | Some(&('{' | MASK))) || word().any(|c| *c == ':');
    let refers = || text.iter().take_while(|c| !c.is_alphanumeric()).any(|c| *c == '$');
    match list {
        _ if SECRETS.contains(&list) || (of_consumer && list == "keys") => {
            !refers() && text.first() != Some(&MASK)
        }
        "passwords" | "jwt" | "hmac" if of_consumer => !open() && !refers(),
        _ => false,
    }
}

/// The line without secrets that are written in it, each as long as it was. References stay.
fn masked(line: &str) -> String {
    static SECRET: OnceLock<Regex> = OnceLock::new();
    let secret = SECRET.get_or_init(|| {
        let keys = SECRETS.join("|");
        // A key, and a text in quotes or up to what ends a value; of keys, a list of texts.
        let of_key =
            format!(r#"\b(?:{keys})["']?\s*[:=]\s*("[^"]*"?|'[^']*'?|[^\s,}}\]"'][^,}}\]]*)"#);
        let of_list = r#"\bkeys["']?\s*[:=]\s*\[([^\[\]{}]+)"#;
        Regex::new(&format!("{of_key}|{of_list}")).expect("it is a regular expression")
    });
    let mut masked = String::with_capacity(line.len());
    let mut end = 0;
    for found in secret.captures_iter(line) {
        let Some(value) = found.get(1).or_else(|| found.get(2)) else { continue };
        masked.push_str(&line[end..value.start()]);
        match value.as_str().contains("${") {
            true => masked.push_str(value.as_str()),
            false => masked.extend(value.as_str().chars().map(|_| MASK)),
        }
        end = value.end();
    }
    masked.push_str(&line[end..]);
    masked
}

/// How many characters are marked: a quoted text, or all up to a space or a delimiter.
fn marked(text: &[char]) -> usize {
    let end = match text.first() {
        Some(quote @ ('"' | '\'')) => {
            text.iter().skip(1).position(|c| c == quote).map_or(text.len(), |at| at + 2)
        }
        _ => text
            .iter()
            .position(|c| c.is_whitespace() || matches!(c, ',' | ']' | '}'))
            .unwrap_or(text.len()),
    };
    let key = end > 1 && text.get(end - 1) == Some(&':');
    (end - usize::from(key)).max(1)
}

#[derive(Clone, Copy)]
struct Paint(Colour, &'static str);

impl Paint {
    fn on(self, text: &str) -> String {
        self.with(self.1, text)
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.with("1;34", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            Colour::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Colour::None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: u32, column: u32) -> Problem {
        let problem = Problem::new("unknown_key", "unknown key \"ur\"");
        let place = Some(Place { file: "f.yaml".to_owned(), line, column });
        Problem { place, ..problem.at("services[0].ur").hint("did you mean \"url\"?") }
    }

    fn rendered(line: u32, column: u32, text: &str, colour: Colour) -> String {
        render(&[problem(line, column)], &Texts::of("f.yaml", text), colour)
    }

    #[test]
    fn the_line_is_that_of_its_file() {
        let texts: Texts =
            [("a.yaml".into(), "a: 1\n".into()), ("f.yaml".into(), "ur: 2\n".into())]
                .into_iter()
                .collect();
        let report = render(&[problem(1, 1)], &texts, Colour::None);
        assert!(report.contains("1 | ur: 2\n"), "{report}");
        let report = render(&[problem(1, 1)], &Texts::default(), Colour::None);
        assert!(!report.contains('|'), "{report}");
    }

    #[test]
    fn the_line_is_shown_with_a_mark() {
        assert_eq!(
            rendered(2, 5, "services:\n  - ur: http://a\n", Colour::None),
            "error[unknown_key]: unknown key \"ur\"\n \
             --> f.yaml:2:5  services[0].ur\n   \
             |\n \
             2 |   - ur: http://a\n   \
             |     ^^\n   \
             = hint: did you mean \"url\"?\n"
        );
        assert!(rendered(2, 5, "a\n\tb\n", Colour::Ansi).contains("\u{1b}[1;31merror"));
    }

    #[test]
    fn secrets_in_a_line_are_not_shown() {
        for (line, shown) in [
            (
                "  - {id: a, secret: hunter2, algorithm: x}",
                "  - {id: a, secret: *******, algorithm: x}",
            ),
            (r#"{"id": "a", "secret": "hunter2"}"#, r#"{"id": "a", "secret": *********}"#),
            ("secret = 'hunter2' # mine", "secret = ********* # mine"),
            ("  hash: $2b$10$abc.def", "  hash: **************"),
            ("keys: [one, \"two\"]", "keys: [**********]"),
            ("keys: [{secret: one, id: b}]", "keys: [{secret: ***, id: b}]"),
            ("secret: ${TOKEN:-none}", "secret: ${TOKEN:-none}"),
            ("secrets: 5", "secrets: 5"),
            ("grüße: {secret: größe}", "grüße: {secret: *****}"),
        ] {
            assert_eq!(masked(line), shown);
        }
        let at = |path: &str, line: &str, column| {
            let place = Some(Place { file: "f.yaml".to_owned(), line: 1, column });
            let problem = Problem { place, ..Problem::new("wrong_type", "m").at(path) };
            render(&[problem], &Texts::of("f.yaml", line), Colour::None)
        };
        for (path, line, column) in [
            ("consumers[0].keys[1]", "  - hunter2", 5),
            ("consumers[0].keys", "keys: hunter2", 7),
            ("consumers[0].passwords[0]", "passwords: [hunter2]", 13),
            ("consumers[0].hmac[0].secret", "    [hunter2, hunter3]", 5),
        ] {
            assert!(!at(path, line, column).contains("hunter"), "{path}");
        }
        assert!(at("consumers[0].keys[0]", "  - ${KEY}", 5).contains("${KEY}"));
    }

    #[test]
    fn a_long_line_and_a_missing_line_are_no_trouble() {
        let long = format!("{{{}\"ur\": 1}}", "\"é\": 1, ".repeat(10_000));
        let report = rendered(1, 80_002, &long, Colour::None);
        assert!(report.lines().all(|line| line.chars().count() < 120), "{report}");
        assert!(report.contains("| …"), "{report}");
        assert!(rendered(9, 9, "a\n", Colour::None).contains("f.yaml:9:9"));
        assert!(rendered(1, 99, "a\n", Colour::None).contains('^'));
    }
}
