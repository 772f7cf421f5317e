//! JSON (RFC 8259), strictly: YAML would read most of it, but not tabs, not surrogate pairs, and
//! it would let mistakes through.

use super::{
    Entry, Flaw, Mark, Node, Span, Value,
    limits::{DEPTH, too_deep},
};

/// Reads one value and nothing after it.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Flaw>> {
    let mut reader = Reader { rest: text, mark: Mark { line: 1, column: 1 } };
    reader.document().map_err(|flaw| vec![flaw])
}

struct Reader<'a> {
    rest: &'a str,
    mark: Mark,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Node, Flaw> {
        let node = self.value(0)?;
        self.skip_space();
        match self.rest.chars().next() {
            None => Ok(node),
            Some(c) => Err(self.flaw(format!("'{c}' stands after the end of the document"))),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Flaw> {
        self.skip_space();
        let start = self.mark;
        if depth > DEPTH {
            return Err(too_deep(start));
        }
        let value = match self.peek() {
            Some('{') => Value::Map(self.map(depth)?),
            Some('[') => Value::List(self.list(depth)?),
            Some('"') => Value::text(self.string()?),
            Some(_) => self.word()?,
            None => return Err(self.flaw("the document ends where a value is expected".into())),
        };
        Ok(Node::new(value, Span { start, end: self.mark }))
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, Flaw> {
        let mut entries = Vec::new();
        self.bump();
        self.skip_space();
        if self.take('}') {
            return Ok(entries);
        }
        loop {
            self.skip_space();
            let start = self.mark;
            if self.peek() != Some('"') {
                let hint = "put double quotes around keys; no comma stands before \"}\"";
                return Err(self.expected("a key").hint(hint));
            }
            let key = self.string()?.into();
            let key_span = Span { start, end: self.mark };
            self.skip_space();
            if !self.take(':') {
                return Err(self.expected("':'"));
            }
            entries.push(Entry { key, key_span, node: self.value(depth + 1)? });
            self.skip_space();
            if self.take('}') {
                return Ok(entries);
            }
            if !self.take(',') {
                return Err(self.expected("',' or '}'"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Flaw> {
        let mut items = Vec::new();
        self.bump();
        self.skip_space();
        if self.take(']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(']') {
                return Ok(items);
            }
            if !self.take(',') {
                return Err(self.expected("',' or ']'"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Flaw> {
        let start = self.mark;
        self.bump();
        let mut text = String::new();
        loop {
            // Whole runs at once: most strings have no escape.
            let run = self.rest.find(['"', '\\', '\n']).unwrap_or(self.rest.len());
            let (plain, rest) = self.rest.split_at(run);
            text.push_str(plain);
            self.mark.column += u32::try_from(plain.chars().count()).unwrap_or(u32::MAX);
            self.rest = rest;
            match self.bump() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                _ => return Err(Flaw::syntax("the string is not closed".to_owned(), start)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Flaw> {
        let mark = self.mark;
        Ok(match self.bump() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.unit(mark)?;
                let code = if (0xd800..0xdc00).contains(&first) && self.rest.starts_with("\\u") {
                    self.bump();
                    self.bump();
                    let second = self.unit(mark)?;
                    0x1_0000 + ((first - 0xd800) << 10) + second.wrapping_sub(0xdc00).min(0x3ff)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| {
                    Flaw::syntax("the escape is no Unicode character".to_owned(), mark)
                })?
            }
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                let flaw = Flaw::syntax(format!("the escape \\{shown} is not known"), mark);
                return Err(flaw.hint("write \\\\ for a backslash"));
            }
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self, mark: Mark) -> Result<u32, Flaw> {
        let digits = self.rest.get(..4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Err(Flaw::syntax("\\u takes four hexadecimal digits".to_owned(), mark));
        };
        for _ in 0..4 {
            self.bump();
        }
        Ok(unit)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, Flaw> {
        let mark = self.mark;
        let delimiter =
            |c: char| c.is_whitespace() || matches!(c, ',' | ':' | '[' | ']' | '{' | '}');
        let end = self
            .rest
            .find(delimiter)
            .unwrap_or(self.rest.len())
            .max(self.rest.chars().next().map_or(0, char::len_utf8));
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => match number(word) {
                Some(value) => value,
                None => {
                    return Err(Flaw::syntax(format!("'{word}' is not JSON"), mark)
                        .hint("put double quotes around texts"));
                }
            },
        };
        self.mark.column += u32::try_from(end).unwrap_or(u32::MAX);
        self.rest = rest;
        Ok(value)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.mark.pass(c);
        Some(c)
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        if there {
            self.bump();
        }
        there
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.bump();
        }
    }

    fn expected(&self, what: &str) -> Flaw {
        match self.peek() {
            Some(c) => self.flaw(format!("expected {what}, found '{}'", c.escape_debug())),
            None => self.flaw(format!("expected {what}, found the end of the document")),
        }
    }

    fn flaw(&self, message: String) -> Flaw {
        Flaw::syntax(message, self.mark)
    }
}

/// A number as JSON writes it: no leading zeros, no bare dots, no plus sign.
fn number(word: &str) -> Option<Value> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let whole = digits.find(['.', 'e', 'E']).map_or(digits, |end| &digits[..end]);
    let strict = !whole.is_empty()
        && whole.bytes().all(|b| b.is_ascii_digit())
        && (whole == "0" || !whole.starts_with('0'))
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && !digits.contains(".e")
        && !digits.contains(".E");
    match super::plain(word) {
        value @ (Value::Integer(_) | Value::Float(_)) if strict => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().remove(0).placed("f").to_string().lines().next().unwrap().into()
    }

    #[test]
    fn values_are_read() {
        for text in [r#"{"a":[1,-2,0.5,true,false,"x",{}],"b":[]}"#, r#""\"\\\n""#, "[]"] {
            assert_eq!(parse(text).ok().unwrap().to_json().to_string(), text);
        }
        let node = parse("{\n\t\"a\": \"\\ud83d\\ude00\\u00e9\"}").ok().unwrap();
        assert_eq!(node.get("a").and_then(Node::as_str), Some("😀é"));
        assert_eq!(node.get("a").unwrap().span.start, Mark { line: 2, column: 7 });
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, shown) in [
            ("{\"a\": 1,}", "f:1:9: expected a key, found '}' (syntax)"),
            ("{\"a\" 1}", "f:1:6: expected ':', found '1' (syntax)"),
            ("[1 2]", "f:1:4: expected ',' or ']', found '2' (syntax)"),
            ("[1", "f:1:3: expected ',' or ']', found the end of the document (syntax)"),
            ("\"a", "f:1:1: the string is not closed (syntax)"),
            ("{} x", "f:1:4: 'x' stands after the end of the document (syntax)"),
            ("[01]", "f:1:2: '01' is not JSON (syntax)"),
            ("yes", "f:1:1: 'yes' is not JSON (syntax)"),
            ("\"\\d\"", "f:1:3: the escape \\d is not known (syntax)"),
            ("\"\\ud800\"", "f:1:3: the escape is no Unicode character (syntax)"),
            ("", "f:1:1: the document ends where a value is expected (syntax)"),
        ] {
            assert_eq!(refused(text), shown, "{text}");
        }
        assert!(refused(&"[".repeat(100_000)).contains("(too_deep)"));
    }
}
