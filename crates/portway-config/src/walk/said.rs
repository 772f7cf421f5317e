//! What the walk says: expected, found, did you mean.

use std::borrow::Cow;

use portway_plugin::{
    Problem,
    value::{Format, InvalidValue, Quoted},
};

use crate::document::{Text, Value};

/// What was found, as part of a sentence.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => format!("the integer {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Text(Text { written: Some(written), .. }) => {
            format!("the value of {}", Quoted(written))
        }
        Value::Text(Text { text, .. }) => format!("the string {}", Quoted(text)),
        other => other.noun().to_owned(),
    }
}

/// What a format expects, with an example.
pub(super) fn expected_format(format: &Format) -> Cow<'static, str> {
    match format.examples.first() {
        Some(example) => format!("{} such as {}", format.noun, Quoted(example)).into(),
        None => format.noun.into(),
    }
}

/// A parser's refusal as a problem.
pub(super) fn refusal(invalid: InvalidValue) -> Problem {
    let InvalidValue { code, message, hint } = invalid;
    Problem { hint, ..Problem::new(code, message) }
}

/// For a scalar that YAML reads as something else than the string it should be.
pub(super) fn quote_hint(value: &Value, format: Option<&Format>) -> Option<Cow<'static, str>> {
    let text = match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return None,
    };
    match format.map_or(Ok(()), |format| (format.check)(&text)) {
        Ok(()) => Some(format!("put quotes around it: \"{text}\"").into()),
        // In quotes it would be no better.
        Err(invalid) => invalid.hint,
    }
}

/// For one thing where a list of things is expected.
pub(super) fn list_hint(value: &Value) -> Option<Cow<'static, str>> {
    match value {
        Value::Text(Text { text, written: None }) if text.contains(',') => {
            let items: Vec<_> = text.split(',').map(str::trim).collect();
            Some(format!("write [{}]", items.join(", ")).into())
        }
        Value::Text(Text { text, written: None }) => Some(format!("write [{text}]").into()),
        Value::Map(_) => Some("begin each item with \"- \"".into()),
        _ => None,
    }
}

/// For a secret that is not written as one, without saying what it is.
pub(super) fn secret_hint(value: &Value) -> Option<Cow<'static, str>> {
    Some(match value {
        Value::Text(_) => "write a list of them".into(),
        Value::Map(_) => "begin each item with \"- \"".into(),
        _ => "put quotes around it".into(),
    })
}

/// For routes with code, where there is none.
pub(crate) const CODE: &str =
    "code is part of a program: the program that has it checks and serves this";

/// A key nobody knows.
pub(super) fn unknown_key(key: &str, known: &[&str]) -> Problem {
    let problem = Problem::new("unknown_key", format!("unknown key {}", Quoted(key)));
    match closest(key, known.iter().copied()) {
        // Where a plugin may stand. Programs that declare routes in Rust know this one.
        _ if key == "code" && known.contains(&"dry_run") => problem.hint(CODE),
        Some(meant) => problem.hint(format!("did you mean \"{meant}\"?")),
        None => {
            let known: Vec<_> = known.iter().filter(|key| !key.starts_with('$')).copied().collect();
            problem.hint(format!("known keys: {}", known.join(", ")))
        }
    }
}

/// The candidate that `word` was meant to be, if one is close enough.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    // One slip for a short word, two for a longer one; nothing is guessed from a letter or two.
    let slips = match word.len() {
        0..=2 => 0,
        3..=5 => 1,
        6..=11 => 2,
        _ => 3,
    };
    let word = word.to_ascii_lowercase().replace('-', "_");
    let distance = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase().replace('-', "_");
        // `ur` for `url`, `timeout` for `timeouts`.
        let begun =
            word.len() >= 2 && candidate.starts_with(&*word) && candidate.len() <= word.len() + 2;
        let slips = if begun { slips.max(2) } else { slips };
        // Cheap first: thousands of names are compared when a reference dangles.
        if candidate.len().abs_diff(word.len()) > slips {
            return None;
        }
        Some(strsim::damerau_levenshtein(&word, &candidate)).filter(|found| *found <= slips)
    };
    let with_distance = candidates.filter_map(|c| Some((distance(c)?, c)));
    with_distance.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_found_and_far_ones_are_not() {
        let known = ["name", "url", "endpoints", "timeouts", "match", "routes"];
        for (word, meant) in [
            ("ur", Some("url")),
            ("nmae", Some("name")),
            ("Name", Some("name")),
            ("timeout", Some("timeouts")),
            ("endpoint", Some("endpoints")),
            ("mtach", Some("match")),
            ("x", None),
            ("labels", None),
            ("methods", None),
        ] {
            assert_eq!(closest(word, known.into_iter()), meant, "{word}");
        }
    }
}
