//! How answers look: tables and differences for people, JSON and YAML for programs.

pub(super) mod diff;
pub(super) mod moment;
pub(super) mod tables;
pub(super) mod yaml;

use std::io;

use serde_json::Value;

use super::args::Form;
use crate::terminal::print;

/// Prints a value as JSON or YAML; for people, the text that `table` makes of it.
pub(super) fn value(
    form: Form,
    value: &Value,
    table: impl FnOnce(&Value) -> String,
) -> io::Result<()> {
    print(&match form {
        Form::Table => table(value),
        Form::Json => format!("{value:#}\n"),
        Form::Yaml => yaml::document(value),
    })
}

/// The text at a pointer, for a cell; nothing is nothing.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => clean(text),
        Some(other) => other.to_string(),
    }
}

/// The elements of the list at a pointer.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Text of others as one line that moves no cursor.
pub(super) fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}
