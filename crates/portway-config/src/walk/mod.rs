//! One walk over a tree and a schema that collects every problem: keys nobody knows, keys that
//! are missing, values of the wrong type or out of range, texts their own parser refuses.
//!
//! What is wrong is marked [`Unknown`](Value::Unknown) in the tree, so that the rest can still be
//! read and checked in the same run. The walk knows JSON Schema as the types generate it and
//! nothing of gateways.

mod choice;
mod said;
mod shape;

pub(crate) use said::{CODE, closest};
pub(crate) use shape::Shapes;

use std::borrow::Cow;

use portway_plugin::{Problem, value::Quoted};

use crate::document::{Entry, Node, Span, Text, Trail, Value, plain};
use shape::{Object, Shape, ShapeId, Word};

/// Walks `root` by `shapes`, and returns every problem in the order of the text.
pub(crate) fn walk(root: &mut Node, shapes: &Shapes, file: &str) -> Vec<Problem> {
    let mut walker = Walker { shapes, file, problems: Vec::new(), secret: false };
    if !walker.node(root, shapes.root(), &Trail::Root) {
        root.value = Value::Unknown;
    }
    walker.problems
}

struct Walker<'a> {
    shapes: &'a Shapes,
    file: &'a str,
    problems: Vec<Problem>,
    /// Whether what is looked at may be a secret: then its kind is told, and nothing more.
    secret: bool,
}

impl Walker<'_> {
    /// Walks one value. `false` says that it cannot be used.
    fn node(&mut self, node: &mut Node, id: ShapeId, trail: &Trail<'_>) -> bool {
        let shapes = self.shapes;
        if node.value == Value::Unknown {
            return false;
        }
        self.secret = shapes.is_secret(id);
        match &shapes[id] {
            Shape::Any => true,
            Shape::Bool => self.boolean(node, trail),
            Shape::Integer(range) => self.integer(node, range, trail),
            Shape::Number => self.number(node, trail),
            Shape::Text(word) => self.text(node, word, trail),
            Shape::List(items) => self.list(node, *items, trail),
            Shape::Map { keys, values } => self.map(node, keys.as_ref(), *values, trail),
            Shape::Object(object) => self.object(node, object, trail),
            Shape::Choice(choice) => self.choice(node, choice, trail),
        }
    }

    fn boolean(&mut self, node: &mut Node, trail: &Trail<'_>) -> bool {
        retype(node, |value| matches!(value, Value::Bool(_)));
        if matches!(node.value, Value::Bool(_)) {
            return true;
        }
        let hint = match &node.value {
            Value::Text(Text { text, written: None }) => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "true" | "y" => Some("write true"),
                "no" | "off" | "false" | "n" => Some("write false"),
                _ => None,
            },
            _ => None,
        };
        self.wrong_type(node, "true or false", hint.map(Cow::from), trail)
    }

    fn integer(&mut self, node: &mut Node, range: &shape::Range, trail: &Trail<'_>) -> bool {
        retype(node, |value| matches!(value, Value::Integer(_)));
        let &mut Value::Integer(number) = &mut node.value else {
            let hint = match &node.value {
                Value::Text(Text { text, written: None })
                    if matches!(plain(text), Value::Integer(_)) =>
                {
                    Some("leave the quotes out".into())
                }
                _ => None,
            };
            return self.wrong_type(node, "an integer", hint, trail);
        };
        if !range.one_of.is_empty() && !range.one_of.contains(&number) {
            let all: Vec<_> = range.one_of.iter().map(ToString::to_string).collect();
            let message = format!("{number} is not one of {}", all.join(", "));
            return self.report(Problem::new("unknown_value", message), node.span, trail);
        }
        if (range.min..=range.max).contains(&number) {
            return true;
        }
        let message = format!("{number} is not between {} and {}", range.min, range.max);
        self.report(Problem::new("out_of_range", message), node.span, trail)
    }

    fn number(&mut self, node: &mut Node, trail: &Trail<'_>) -> bool {
        let numeric = |value: &Value| matches!(value, Value::Integer(_) | Value::Float(_));
        retype(node, numeric);
        numeric(&node.value) || self.wrong_type(node, "a number", None, trail)
    }

    fn text(&mut self, node: &Node, word: &Word, trail: &Trail<'_>) -> bool {
        let text = match &node.value {
            Value::Text(text) => Cow::Borrowed(text.text.as_str()),
            Value::Integer(number) if word.or_number => number.to_string().into(),
            Value::Float(number) if word.or_number => number.to_string().into(),
            _ => {
                let expected = word.format.map_or("a string".into(), said::expected_format);
                let hint = said::quote_hint(&node.value, word.format);
                return self.wrong_type(node, &expected, hint, trail);
            }
        };
        let Some(format) = word.format else { return true };
        let Err(invalid) = (format.check)(&text) else { return true };
        let problem = match &node.value {
            // The parser's message has the text in it, and its hint may have parts of it.
            Value::Text(Text { written: Some(written), .. }) => {
                let message = format!("the value of {} is not {}", Quoted(written), format.noun);
                let like = format!("expected {}", said::expected_format(format));
                Problem::new(invalid.code, message).hint(like)
            }
            _ => said::refusal(invalid),
        };
        self.report(problem, node.span, trail)
    }

    fn list(&mut self, node: &mut Node, items: ShapeId, trail: &Trail<'_>) -> bool {
        let Value::List(nodes) = &mut node.value else {
            let hint = said::list_hint(&node.value);
            return self.wrong_type(node, "a list", hint, trail);
        };
        for (index, item) in nodes.iter_mut().enumerate() {
            if !self.node(item, items, &trail.index(index)) {
                item.value = Value::Unknown;
            }
        }
        true
    }

    fn map(
        &mut self,
        node: &mut Node,
        keys: Option<&Word>,
        values: ShapeId,
        trail: &Trail<'_>,
    ) -> bool {
        let Value::Map(entries) = &mut node.value else {
            return self.wrong_type(node, "a map", None, trail);
        };
        for Entry { key, key_span, node } in entries {
            let trail = trail.key(key);
            let format = keys.and_then(|word| word.format);
            let key = format.map_or(Ok(()), |format| (format.check)(key));
            let good = match key {
                Ok(()) if node.value == Value::Null => {
                    self.wrong_type(node, "a value", None, &trail)
                }
                Ok(()) => self.node(node, values, &trail),
                Err(invalid) => self.report(said::refusal(invalid), *key_span, &trail),
            };
            if !good {
                node.value = Value::Unknown;
            }
        }
        true
    }

    fn object(&mut self, node: &mut Node, object: &Object, trail: &Trail<'_>) -> bool {
        let Value::Map(entries) = &mut node.value else {
            return self.wrong_type(node, "a map", None, trail);
        };
        let (mut usable, mut found) = (true, 0);
        for entry in entries.iter_mut() {
            let Some(key) = object.keys.get(&entry.key) else {
                if !object.is_open(&entry.key) {
                    let problem = said::unknown_key(&entry.key, &object.keys.names());
                    self.report(problem, entry.key_span, &trail.key(&entry.key));
                }
                entry.node.value = Value::Unknown;
                continue;
            };
            if entry.node.value == Value::Null {
                continue;
            }
            found += usize::from(key.required);
            if !self.node(&mut entry.node, key.shape, &trail.key(&entry.key)) {
                entry.node.value = Value::Unknown;
                usable &= !key.required;
            }
        }
        if found < object.required {
            let has = |key: &str| {
                entries.iter().any(|entry| &*entry.key == key && entry.node.value != Value::Null)
            };
            let missing = |(key, spec): &(&String, &shape::Key)| spec.required && !has(key);
            for (key, _) in object.keys.iter().filter(missing) {
                let problem =
                    Problem::new("missing_key", format!("the key {} is missing", Quoted(key)));
                let start = Span { end: node.span.start, ..node.span };
                self.report(problem, start, &trail.key(key));
            }
            usable = false;
        }
        usable
    }

    /// `false`, so that callers can end with it.
    fn wrong_type(
        &mut self,
        node: &Node,
        expected: &str,
        hint: Option<Cow<'static, str>>,
        trail: &Trail<'_>,
    ) -> bool {
        let (found, hint) = match self.secret {
            true => (node.value.noun().to_owned(), hint.and(said::secret_hint(&node.value))),
            false => (said::found(&node.value), hint),
        };
        let message = format!("expected {expected}, found {found}");
        let problem = Problem { hint, ..Problem::new("wrong_type", message) };
        self.report(problem, node.span, trail)
    }

    /// `false`, so that callers can end with it.
    fn report(&mut self, problem: Problem, span: Span, trail: &Trail<'_>) -> bool {
        let place = Some(span.start.place(self.file));
        self.problems.push(Problem { place, ..problem.at(trail.to_string()) });
        false
    }
}

/// A text that references brought in has no type of its own: it takes the wanted one if it can.
fn retype(node: &mut Node, wanted: impl Fn(&Value) -> bool) {
    if let Value::Text(Text { text, written: Some(_) }) = &node.value {
        let value = plain(text);
        if wanted(&value) {
            node.value = value;
        }
    }
}

#[cfg(test)]
mod tests;
