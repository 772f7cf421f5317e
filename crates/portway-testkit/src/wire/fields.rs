//! Header and trailer fields as they stood on the wire: in order, repeated, in their own case.

use std::fmt;
use std::io;

/// The header or trailer fields of a message, in the order in which they arrived.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of the first field of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The values of all fields of that name, in any case, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value).collect()
    }

    /// Whether a field of that name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the last transfer coding is `chunked`.
    pub(crate) fn chunked(&self) -> bool {
        let last = self.all("transfer-encoding").pop().and_then(|value| value.rsplit(',').next());
        last.is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
    }

    /// The announced length of the body, if it is a number.
    pub(crate) fn content_length(&self) -> Option<usize> {
        self.get("content-length").and_then(|value| value.parse().ok())
    }

    /// Reads one `name: value` line.
    pub(crate) fn push_line(&mut self, line: &str) -> io::Result<()> {
        let Some((name, value)) = line.split_once(':') else {
            let text = format!("a field line without a colon: {line:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        };
        self.0.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
        Ok(())
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, value)| format!("{name}: {value}"))).finish()
    }
}

/// Splits a head into its first line and its fields.
pub(crate) fn split_head(head: &str) -> io::Result<(String, Fields)> {
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let mut fields = Fields::default();
    for line in lines.take_while(|line| !line.is_empty()) {
        fields.push_line(line)?;
    }
    Ok((first, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_order_case_and_repetition() {
        let head = "GET / HTTP/1.1\r\nB: 1\r\na:2 \r\nb: 3\r\n\r\n";
        let (first, fields) = split_head(head).unwrap();
        assert_eq!(first, "GET / HTTP/1.1");
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("B", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!(fields.get("b"), Some("1"));
        assert_eq!(fields.all("b"), ["1", "3"]);
        assert!(!fields.contains("c"));
    }

    #[test]
    fn only_a_last_coding_of_chunked_is_chunked() {
        for (value, chunked) in [("chunked", true), ("gzip, Chunked", true), ("chunked, x", false)]
        {
            let (_, fields) = split_head(&format!("x\r\nTransfer-Encoding: {value}\r\n")).unwrap();
            assert_eq!(fields.chunked(), chunked, "{value}");
        }
    }

    #[test]
    fn a_line_without_a_colon_is_shown() {
        let error = split_head("x\r\nnonsense\r\n").unwrap_err();
        assert_eq!(error.to_string(), "a field line without a colon: \"nonsense\"");
    }
}
