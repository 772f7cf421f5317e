//! TOML, from the spanned tables of the `toml` crate, which reports all its errors at once.

use portway_plugin::Problem;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Entry, Flaw, Mark, Node, Span, Value,
    limits::{DEPTH, too_deep},
    plain,
};

/// Reads a document with every error in it.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Flaw>> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let flaw = |error: &toml::de::Error| {
            let message = error.message().replace('`', "'").replace('\n', "; ");
            Flaw::syntax(message, lines.mark(error.span().map_or(0, |span| span.start)))
        };
        return Err(errors.iter().map(flaw).collect());
    }
    if table.get_ref().is_empty() {
        let problem = Problem::new("empty_document", "the document is empty");
        return Err(vec![Flaw::new(problem, Mark { line: 1, column: 1 })]);
    }
    let span = lines.span(table.span());
    let entries = map(table.into_inner(), &lines, 1).map_err(|flaw| vec![flaw])?;
    Ok(Node::new(Value::Map(entries), span))
}

fn map(table: DeTable<'_>, lines: &Lines<'_>, depth: usize) -> Result<Vec<Entry>, Flaw> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let key_span = lines.span(key.span());
        let node = node(value, lines, depth)?;
        entries.push(Entry { key: key.into_inner().as_ref().into(), key_span, node });
    }
    // The table is sorted by key; people and messages go by the order of the text.
    entries.sort_by_key(|entry| entry.key_span.start);
    Ok(entries)
}

fn node(value: Spanned<DeValue<'_>>, lines: &Lines<'_>, depth: usize) -> Result<Node, Flaw> {
    let span = lines.span(value.span());
    if depth > DEPTH {
        return Err(too_deep(span.start));
    }
    let value = match value.into_inner() {
        DeValue::String(text) => Value::text(text),
        DeValue::Integer(integer) => {
            match i128::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(integer) => Value::Integer(integer),
                Err(_) => return Err(Flaw::syntax("the integer is too large".into(), span.start)),
            }
        }
        DeValue::Float(float) => plain_float(float.as_str()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(datetime) => Value::text(datetime.to_string()),
        DeValue::Array(array) => Value::List(
            array.into_iter().map(|item| node(item, lines, depth + 1)).collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => Value::Map(map(table, lines, depth + 1)?),
    };
    Ok(Node::new(value, span))
}

/// TOML writes `inf` and `nan` without a dot.
fn plain_float(text: &str) -> Value {
    match plain(text) {
        value @ Value::Float(_) => value,
        #[expect(clippy::cast_precision_loss, reason = "it was written as a float")]
        Value::Integer(number) => Value::Float(number as f64),
        _ if text.ends_with("inf") && text.starts_with('-') => Value::Float(f64::NEG_INFINITY),
        _ if text.ends_with("inf") => Value::Float(f64::INFINITY),
        _ => Value::Float(f64::NAN),
    }
}

/// Where lines begin, to turn offsets into lines and columns.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn mark(&self, offset: usize) -> Mark {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        Mark::counted(line, before.chars().count() + 1)
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span { start: self.mark(range.start), end: self.mark(range.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_in_the_order_of_the_text() {
        let text =
            "b = 1\na = \"é\"\n[[x]]\nn = 0x10\nf = 2.0\n[[x]]\nt = [1, 2]\n[y.z]\non = true\n";
        let node = parse(text).ok().unwrap();
        assert_eq!(
            node.to_json().to_string(),
            r#"{"b":1,"a":"é","x":[{"n":16,"f":2.0},{"t":[1,2]}],"y":{"z":{"on":true}}}"#
        );
        assert_eq!(node.get("a").unwrap().span.start, Mark { line: 2, column: 5 });
    }

    #[test]
    fn all_errors_have_a_place() {
        let flaws = parse("a = \nb = 1\nb = 2\n[c\n").unwrap_err();
        let shown: Vec<_> = flaws.into_iter().map(|flaw| flaw.placed("f").to_string()).collect();
        assert!(shown.len() >= 3, "{shown:?}");
        assert!(shown.iter().any(|line| line.starts_with("f:3:1: duplicate key")), "{shown:?}");
    }
}
