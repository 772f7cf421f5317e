//! What an unquoted scalar is: the core schema of YAML 1.2 (section 10.3.2). `yes`, `no`, `on` and
//! `off` are texts.

use super::Value;

/// The value of an unquoted scalar.
pub(crate) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    // Everything else that is not a text begins like a number.
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Value::text(text);
    }
    integer(text).or_else(|| float(text)).unwrap_or_else(|| Value::text(text))
}

fn integer(text: &str) -> Option<Value> {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        _ => (text, 10),
    };
    let unsigned = digits.strip_prefix(['+', '-']).filter(|_| radix == 10).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    i128::from_str_radix(digits, radix).ok().map(Value::Integer)
}

fn float(text: &str) -> Option<Value> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" => return Some(Value::Float(f64::INFINITY)),
        "-.inf" => return Some(Value::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    // The standard parser also takes `inf` and `infinity`, which are texts here.
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
    text.bytes().all(numeric).then(|| text.parse().ok().map(Value::Float)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_typed_by_the_core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", Value::text("yes")),
            ("off", Value::text("off")),
            ("8080", Value::Integer(8080)),
            ("-5", Value::Integer(-5)),
            ("0x1F", Value::Integer(31)),
            ("0o17", Value::Integer(15)),
            ("0755", Value::Integer(755)),
            ("1.5", Value::Float(1.5)),
            ("1e3", Value::Float(1000.0)),
            (".inf", Value::Float(f64::INFINITY)),
            ("5s", Value::text("5s")),
            ("1:30", Value::text("1:30")),
            ("-", Value::text("-")),
            ("...", Value::text("...")),
            ("127.0.0.1", Value::text("127.0.0.1")),
            ("12_000", Value::text("12_000")),
            ("inf", Value::text("inf")),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}
