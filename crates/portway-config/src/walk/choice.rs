//! A value that may have one of several forms: the form that was meant is found by its kind and
//! its key, and only that form's problems are reported.

use std::borrow::Cow;

use portway_plugin::{Problem, value::Quoted};

use super::{
    Walker, said,
    shape::{Choice, Shape},
};
use crate::document::{Entry, Node, Text, Trail, Value};

impl Walker<'_> {
    pub(super) fn choice(&mut self, node: &mut Node, choice: &Choice, trail: &Trail<'_>) -> bool {
        let shapes = self.shapes;
        let of_kind = |wanted: fn(&Shape) -> bool| {
            choice.others.iter().copied().find(|id| wanted(&shapes[*id]))
        };
        let fitting = match &node.value {
            Value::Text(text) if choice.words.contains(&text.text) => return true,
            Value::Map(_) if !choice.tagged.is_empty() => return self.tagged(node, choice, trail),
            Value::Map(_) => of_kind(|s| matches!(s, Shape::Object(_) | Shape::Map { .. })),
            Value::List(_) => of_kind(|s| matches!(s, Shape::List(_))),
            Value::Text(_) => of_kind(|s| matches!(s, Shape::Text(_))),
            Value::Integer(_) | Value::Float(_) => of_kind(|shape| match shape {
                Shape::Integer(_) | Shape::Number => true,
                Shape::Text(word) => word.or_number,
                _ => false,
            }),
            Value::Bool(_) => of_kind(|s| matches!(s, Shape::Bool)),
            Value::Null | Value::Unknown => None,
        };
        if let Some(id) = fitting {
            return self.node(node, id, trail);
        }
        match &node.value {
            Value::Text(text) if !choice.words.is_empty() => {
                let all = self.forms(choice).join(", ");
                let shown = text.written.as_deref().unwrap_or(&text.text);
                let message = format!("{} is not one of {all}", Quoted(shown));
                let problem = Problem::new("unknown_value", message);
                let meant = said::closest(shown, choice.words.iter().map(String::as_str));
                let hint = match meant {
                    Some(meant) => Some(format!("did you mean {meant}?").into()),
                    None => self.tag_hint(&node.value, choice),
                };
                self.report(Problem { hint, ..problem }, node.span, trail)
            }
            _ => {
                let expected = self.forms(choice).join(" or ");
                let hint = self.tag_hint(&node.value, choice);
                self.wrong_type(node, &expected, hint, trail)
            }
        }
    }

    /// A map whose only key says which form it is.
    fn tagged(&mut self, node: &mut Node, choice: &Choice, trail: &Trail<'_>) -> bool {
        let span = node.span;
        let Value::Map(entries) = &mut node.value else { return false };
        let known: Vec<_> = choice.tagged.iter().map(|(tag, _)| tag.as_str()).collect();
        let mut unknown = false;
        for Entry { key, key_span, .. } in entries.iter() {
            if !choice.tagged.iter().any(|(tag, _)| **tag == **key) {
                unknown = true;
                let problem = said::unknown_key(key, &known);
                self.report(problem, *key_span, &trail.key(key));
            }
        }
        let entries = match entries.as_mut_slice() {
            _ if unknown => return false,
            [entry] => entry,
            others => {
                let message = format!("expected one of the keys {}", known.join(", "));
                let found = match others.len() {
                    0 => "found none".to_owned(),
                    many => format!("found {many} of them"),
                };
                let problem = Problem::new("one_of", format!("{message}, {found}"));
                return self.report(problem, span, trail);
            }
        };
        let Some((_, shape)) = choice.tagged.iter().find(|(tag, _)| **tag == *entries.key) else {
            return false;
        };
        let trail = trail.key(&entries.key);
        if entries.node.value == Value::Null {
            return self.wrong_type(&entries.node, "a value", None, &trail);
        }
        self.node(&mut entries.node, *shape, &trail)
    }

    /// For a text that would be good behind a key: `{fixed: example.com}`.
    fn tag_hint(&self, value: &Value, choice: &Choice) -> Option<Cow<'static, str>> {
        let Value::Text(Text { text, written: None }) = value else { return None };
        let takes = |id| match &self.shapes[id] {
            Shape::Text(word) => word.format.is_some_and(|format| (format.check)(text).is_ok()),
            _ => false,
        };
        let (tag, _) = choice.tagged.iter().find(|(_, id)| takes(*id))?;
        Some(format!("write {{{tag}: {text}}}").into())
    }

    /// The forms in words.
    fn forms(&self, choice: &Choice) -> Vec<String> {
        let words = choice.words.iter().cloned();
        let tagged = choice.tagged.iter().map(|(tag, _)| format!("{{{tag}: …}}"));
        let others = choice.others.iter().map(|id| match &self.shapes[*id] {
            Shape::Bool => "true or false".to_owned(),
            Shape::Integer(_) => "an integer".to_owned(),
            Shape::Number => "a number".to_owned(),
            Shape::Text(word) => {
                word.format.map_or("a string".to_owned(), |f| said::expected_format(f).into_owned())
            }
            Shape::List(_) => "a list".to_owned(),
            Shape::Map { .. } | Shape::Object(_) => "a map".to_owned(),
            Shape::Any | Shape::Choice(_) => "a value".to_owned(),
        });
        words.chain(others).chain(tagged).collect()
    }
}
