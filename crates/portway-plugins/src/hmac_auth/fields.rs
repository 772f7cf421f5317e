//! As much of structured fields (RFC 9651) as signatures and digests are written in.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

/// A text that is read from the left.
pub(super) struct Reader<'t>(&'t str);

/// A value in a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Integer(i64),
    Text(String),
}

/// What stands in parentheses, and the parameters after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InnerList {
    pub(super) items: Vec<String>,
    pub(super) parameters: Vec<(String, Item)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self(text.trim_matches(' '))
    }

    /// Takes this off, if it is next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    pub(super) fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a member or a parameter.
    pub(super) fn key(&mut self) -> Option<&'t str> {
        let inner = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '*')
        };
        let key = self.while_true(inner);
        key.starts_with(|c: char| c.is_ascii_lowercase() || c == '*').then_some(key)
    }

    /// `"…"`, with its escapes undone.
    pub(super) fn text(&mut self) -> Option<String> {
        if !self.take('"') {
            return None;
        }
        let (mut text, mut rest) = (String::new(), self.0.chars());
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => text.push(rest.next().filter(|c| matches!(c, '"' | '\\'))?),
                c @ ' '..='~' => text.push(c),
                _ => return None,
            }
        }
        self.0 = rest.as_str();
        Some(text)
    }

    /// `:…:`
    pub(super) fn bytes(&mut self) -> Option<Vec<u8>> {
        if !self.take(':') {
            return None;
        }
        let (bytes, rest) = self.0.split_once(':')?;
        self.0 = rest;
        STANDARD.decode(bytes).ok()
    }

    pub(super) fn integer(&mut self) -> Option<i64> {
        let minus = self.take('-');
        let digits = self.while_true(|c| c.is_ascii_digit());
        let number: i64 = (1..=15).contains(&digits.len()).then(|| digits.parse().ok())??;
        Some(if minus { -number } else { number })
    }

    /// `("a" "b");c=1`. Items with parameters are not understood.
    pub(super) fn inner_list(&mut self) -> Option<InnerList> {
        let mut list = InnerList::default();
        if !self.take('(') {
            return None;
        }
        self.skip_spaces();
        while !self.take(')') {
            list.items.push(self.text()?);
            if !self.0.starts_with([' ', ')']) {
                return None;
            }
            self.skip_spaces();
        }
        while self.take(';') {
            self.skip_spaces();
            let key = self.key()?.to_owned();
            if !self.take('=') || list.parameters.iter().any(|(other, _)| *other == key) {
                return None;
            }
            let item = match self.0.starts_with('"') {
                true => Item::Text(self.text()?),
                false => Item::Integer(self.integer()?),
            };
            list.parameters.push((key, item));
        }
        Some(list)
    }

    /// What of the text is so.
    pub(super) fn while_true(&mut self, is_so: impl Fn(char) -> bool) -> &'t str {
        let (taken, rest) = self.0.split_at(self.0.find(|c| !is_so(c)).unwrap_or(self.0.len()));
        self.0 = rest;
        taken
    }
}

impl InnerList {
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.parameters.iter().find_map(|(key, item)| match item {
            Item::Integer(number) if key == name => Some(*number),
            _ => None,
        })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find_map(|(key, item)| match item {
            Item::Text(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    }
}

/// The one form it has.
impl std::fmt::Display for InnerList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_char('(')?;
        for (number, item) in self.items.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { " " })?;
            write_text(f, item)?;
        }
        f.write_char(')')?;
        for (key, item) in &self.parameters {
            write!(f, ";{key}=")?;
            match item {
                Item::Integer(number) => write!(f, "{number}")?,
                Item::Text(text) => write_text(f, text)?,
            }
        }
        Ok(())
    }
}

fn write_text(f: &mut std::fmt::Formatter<'_>, text: &str) -> std::fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let mut reader = Reader::new(text);
        let list = reader.inner_list()?;
        reader.is_done().then(|| list.to_string())
    }

    #[test]
    fn lists_have_one_form() {
        for (text, form) in [
            (r#"("a" "b");x=1;y="z""#, Some(r#"("a" "b");x=1;y="z""#)),
            (r#"(  "a"   "b"  ); x=-1"#, Some(r#"("a" "b");x=-1"#)),
            ("()", Some("()")),
            (r#"("a\"\\");k="\"""#, Some(r#"("a\"\\");k="\"""#)),
            (r#"("a""b")"#, None),
            (r#"("a";sf)"#, None),
            (r#"("a")x"#, None),
            (r#"("a");x"#, None),
            (r#"("a");x=1;x=2"#, None),
            (r#"("a");X=1"#, None),
            (r#"("a");x=1.5"#, None),
            (r#"("a");x=1234567890123456"#, None),
            (r#"("a"#, None),
            (r#"("a\n")"#, None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), form, "{text}");
        }
    }

    #[test]
    fn bytes_are_in_strict_base64() {
        assert_eq!(Reader::new(":AQI=:").bytes(), Some(vec![1, 2]));
        for bad in ["AQI=", ":AQI=", ":AQI:", ":AQJ=:", ":A QI=:"] {
            assert_eq!(Reader::new(bad).bytes(), None, "{bad}");
        }
    }
}
