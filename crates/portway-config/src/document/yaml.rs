//! YAML, from the events of a parser that knows places.

use std::{borrow::Cow, collections::HashMap};

use portway_plugin::{Problem, value::Quoted};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{
    Entry, Flaw, Mark, Node, Span, Value,
    limits::{ALIASED, DEPTH, too_deep},
    plain,
};

/// Reads one document. The parser stops at its first error.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Flaw>> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| vec![scan_flaw(&error)])?;
        builder.take(event, span.into()).map_err(|flaw| vec![flaw])?;
    }
    builder.root.ok_or_else(|| {
        let flaw = Flaw::new(
            Problem::new("empty_document", "the document is empty"),
            Mark { line: 1, column: 1 },
        );
        vec![flaw.hint("begin with listeners, services and routes")]
    })
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    aliased: usize,
    documents: usize,
}

/// A list or a map that is not finished.
struct Frame {
    start: Mark,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<Entry>, Option<(Box<str>, Span)>),
}

/// A node that aliases may stand for, and what a copy of it costs.
struct Anchored {
    node: Node,
    cost: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Flaw> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let problem = Problem::new("multiple_documents", "a second document begins");
                    return Err(Flaw::new(problem, span.start)
                        .hint("keep one document a file: leave out the \"---\""));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_deref(), span.start)?;
                self.add(Node::new(value, span), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Content::List(Vec::new()), anchor, tag.as_deref(), span.start)
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Content::Map(Vec::new(), None), anchor, tag.as_deref(), span.start)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => {
                let node = self.alias(anchor, span.start)?;
                self.add(node, 0)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<&Tag>,
        start: Mark,
    ) -> Result<(), Flaw> {
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq"))
        {
            return Err(bad_tag(tag, start));
        }
        if self.stack.len() >= DEPTH {
            return Err(too_deep(start));
        }
        self.stack.push(Frame { start, anchor, content });
        Ok(())
    }

    fn close(&mut self, end: Mark) -> Result<(), Flaw> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        // A document is kept for as long as it is served, and most of its lists and maps are short:
        // the room they grew into would be half of it.
        let value = match frame.content {
            Content::List(mut items) => {
                items.shrink_to_fit();
                Value::List(items)
            }
            Content::Map(entries, _) => {
                let mut entries = merge(entries)?;
                entries.shrink_to_fit();
                Value::Map(entries)
            }
        };
        self.add(Node::new(value, Span { start: frame.start, end }), frame.anchor)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Flaw> {
        if anchor > 0 {
            let cost = cost(&node);
            self.spend(cost, node.span.start)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), cost });
        }
        let Some(frame) = self.stack.last_mut() else {
            // A document of nothing but comments is one empty scalar.
            self.root = Some(node).filter(|node| node.value != Value::Null);
            return Ok(());
        };
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map(entries, pending) => match pending.take() {
                Some((key, key_span)) => entries.push(Entry { key, key_span, node }),
                None => *pending = Some((key(&node)?, node.span)),
            },
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, start: Mark) -> Result<Node, Flaw> {
        let Some(Anchored { node, cost }) = self.anchors.get(&anchor) else {
            let problem = Problem::new("alias_loop", "the alias stands inside what it stands for");
            return Err(Flaw::new(problem, start));
        };
        let (node, cost) = (node.clone(), *cost);
        self.spend(cost, start)?;
        Ok(node)
    }

    fn spend(&mut self, cost: usize, at: Mark) -> Result<(), Flaw> {
        self.aliased += cost;
        if self.aliased <= ALIASED {
            return Ok(());
        }
        let message = format!("the aliases stand for more than {ALIASED} values");
        Err(Flaw::new(Problem::new("alias_bomb", message), at))
    }
}

/// What a copy costs: its values, and its text in pieces of 64 bytes.
fn cost(node: &Node) -> usize {
    match &node.value {
        Value::Text(text) => 1 + text.text.len() / 64,
        Value::List(items) => 1 + items.iter().map(cost).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| cost(&entry.node)).sum::<usize>(),
        _ => 1,
    }
}

/// `<<: *defaults` puts in the keys that are not there already.
fn merge(mut entries: Vec<Entry>) -> Result<Vec<Entry>, Flaw> {
    let Some(at) = entries.iter().position(|entry| &*entry.key == "<<") else {
        return Ok(entries);
    };
    let merged = entries.remove(at);
    let sources = match merged.node.value {
        Value::List(items) => items,
        _ => vec![merged.node],
    };
    for source in sources {
        let Value::Map(inherited) = source.value else {
            let message = format!("\"<<\" merges maps, not {}", source.value.noun());
            let flaw = Flaw::syntax(message, merged.key_span.start);
            return Err(flaw.hint("write <<: *anchor, or <<: [*one, *two]"));
        };
        for entry in inherited {
            if !entries.iter().any(|own| own.key == entry.key) {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    start: Mark,
) -> Result<Value, Flaw> {
    match tag {
        None if style == ScalarStyle::Plain => Ok(plain(&text)),
        None => Ok(Value::text(text)),
        Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => Ok(Value::text(text)),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(Value::text(text)),
            "int" | "float" | "bool" | "null" => Ok(plain(&text)),
            _ => Err(bad_tag(tag, start)),
        },
        Some(tag) => Err(bad_tag(tag, start)),
    }
}

fn bad_tag(tag: &Tag, start: Mark) -> Flaw {
    let message = format!("the tag {} is not known", Quoted(&tag.to_string()));
    Flaw::new(Problem::new("unknown_tag", message), start)
        .hint("leave it out, or quote a value that begins with \"!\"")
}

/// A key as text: `80: x` has the key `80`.
fn key(node: &Node) -> Result<Box<str>, Flaw> {
    match &node.value {
        Value::Text(text) => Ok(text.text.as_str().into()),
        Value::Integer(number) => Ok(number.to_string().into()),
        Value::Bool(value) => Ok(value.to_string().into()),
        Value::Float(number) => Ok(number.to_string().into()),
        Value::Null | Value::Unknown => {
            Err(Flaw::syntax("a key is empty".to_owned(), node.span.start))
        }
        Value::List(_) | Value::Map(_) => {
            let message = format!("a key is {}", node.value.noun());
            let flaw = Flaw::syntax(message, node.span.start);
            Err(flaw.hint("quote a value that begins with \"{\" or \"[\""))
        }
    }
}

/// What the parser says, and what a person usually did.
fn scan_flaw(error: &ScanError) -> Flaw {
    const HINTS: [(&str, &str); 9] = [
        ("unknown anchor", "quote a value that begins with \"*\": \"*.example.com\""),
        ("tab", "indent with spaces"),
        ("unknown escape", "put single quotes around a text with backslashes"),
        ("end of stream", "close the quotes"),
        ("',' or '}'", "quote a value with braces or commas inside {…}: {path: \"/a/{id}\"}"),
        ("',' or ']'", "quote a value with brackets or commas inside […]"),
        ("unexpected character", "quote the value"),
        ("mapping values are not allowed", "check the indentation, or quote a value with \": \""),
        ("expected", "check the indentation, and put a space after each \":\" and \"-\""),
    ];
    let info = error.info();
    // "while parsing a node, did not find …": what it was doing tells a person nothing.
    let told = info.split_once(", ").filter(|_| info.starts_with("while ")).map_or(info, |t| t.1);
    let flaw = Flaw::syntax(told.replace('`', "'"), (*error.marker()).into());
    match HINTS.iter().find(|(part, _)| info.contains(part)) {
        Some((_, hint)) => flaw.hint(hint),
        None => flaw,
    }
}

impl From<Marker> for Mark {
    fn from(marker: Marker) -> Self {
        Self::counted(marker.line(), marker.col() + 1)
    }
}

impl From<saphyr_parser::Span> for Span {
    fn from(span: saphyr_parser::Span) -> Self {
        Self { start: span.start.into(), end: span.end.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let flaw = parse(text).unwrap_err().remove(0);
        flaw.placed("f").to_string()
    }

    fn read(text: &str) -> String {
        parse(text).map(|node| node.to_json().to_string()).map_err(|_| refused(text)).unwrap()
    }

    #[test]
    fn anchors_aliases_and_merges() {
        assert_eq!(
            read("base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nsame: *b\n"),
            r#"{"base":{"x":1,"y":2},"own":{"y":3,"x":1},"same":{"x":1,"y":2}}"#
        );
        assert!(refused("a: &a [*a]").contains("(alias_loop)"));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let alias = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", "));
        }
        assert!(refused(&bomb).contains("(alias_bomb)"));
    }

    #[test]
    fn mistakes_have_hints() {
        for (text, hint) in [
            ("hosts: [*.example.com]", "quote a value that begins with \"*\""),
            ("m: {path: /a/{id}}", "quote a value with braces"),
            ("a:\n\tb: 1", "indent with spaces"),
            ("a: \"\\d\"", "put single quotes around a text with backslashes"),
            ("a: b: c", "check the indentation, or quote a value with \": \""),
            ("a: 1\n---\nb: 2", "keep one document a file"),
            ("a: !secret x", "leave it out"),
            ("", "begin with listeners"),
            ("# nothing\n", "begin with listeners"),
        ] {
            assert!(refused(text).contains(hint), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(refused(&"[".repeat(10_000)).contains("f:1:"));
        assert!(refused(&"- ".repeat(10_000)).contains("(too_deep)"));
        let mut block = String::new();
        for level in 0..5000 {
            block += &format!("{}a:\n", " ".repeat(level));
        }
        assert!(refused(&block).contains("(too_deep)"));
    }
}
