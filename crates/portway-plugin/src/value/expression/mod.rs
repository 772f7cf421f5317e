//! Expressions over a request, in CEL (the Common Expression Language).

#[cfg(not(feature = "expressions"))]
#[path = "absent.rs"]
mod program;
#[cfg(feature = "expressions")]
#[path = "cel.rs"]
mod program;

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use self::program::Program;
use super::text::{InvalidValue, Quoted, text_form};
use crate::{Exchange, Request};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 4 * 1024;

/// An expression in CEL, prepared: `request.method == "POST" && "ops" in consumer.groups`.
///
/// It may speak of `request` (`method`, `path`, `query`, `host`, `scheme`, `protocol`, `headers` by
/// lower-case name), `client` (`ip`), `consumer` (`name`, `custom_id`, `groups`, `claims`; a map
/// without keys while nobody knows who asks), `route`, `service` and `listener`.
///
/// Behind the feature `expressions`: without it, there is no text that is one.
#[derive(Clone)]
pub struct Expression {
    text: Box<str>,
    program: Program,
}

/// Why an expression came to nothing: it speaks of what this request does not have, or of values of
/// other kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoValue(String);

impl Expression {
    /// Whether it is true of a request.
    ///
    /// # Errors
    /// It is neither true nor false.
    pub fn holds(&self, request: &Request, exchange: &Exchange<'_>) -> Result<bool, NoValue> {
        self.program.holds(request, exchange)
    }

    /// What it says of a request, as text.
    ///
    /// # Errors
    /// It is neither a text, a number nor a truth.
    pub fn text(&self, request: &Request, exchange: &Exchange<'_>) -> Result<String, NoValue> {
        self.program.text(request, exchange)
    }
}

impl FromStr for Expression {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.len() > MAX_LENGTH {
            return Err(refusal(text, &format!("it is longer than {MAX_LENGTH} bytes")));
        }
        Ok(Self { text: text.into(), program: Program::read(text)? })
    }
}

fn refusal(text: &str, why: &str) -> InvalidValue {
    InvalidValue::new(format!("{} is not an expression: {}", Quoted(text), why.trim()))
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl Hash for Expression {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoValue {}

text_form!(
    Expression,
    "portway-expression",
    "an expression in CEL",
    ["request.method == 'POST'", "'ops' in consumer.groups"]
);

#[cfg(all(test, feature = "expressions"))]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Expression>().expect_err(text).to_string()
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_reason() {
        assert!(refused("request.method ==").contains("is not an expression"));
        assert!(refused("reqest.method == 'GET'").contains("there is no \"reqest\""));
        assert!(refused(&"a".repeat(MAX_LENGTH + 1)).contains("longer than"));
    }

    #[test]
    fn hostile_inputs_are_refused_at_once() {
        let begin = std::time::Instant::now();
        let nested = |open: &str, close: &str| open.repeat(500) + "1" + &close.repeat(500);
        for text in [
            nested("(", ")"),
            nested("[", "]"),
            nested("{1:", "}"),
            "!".repeat(2000) + "true",
            "-".repeat(2000) + "1",
            "request.a".to_owned() + &".a".repeat(2000),
            "1 ? ".repeat(800) + "1" + &" : 1".repeat(800),
            "[1].map(a, [1].map(b, ".repeat(40) + "1" + &"))".repeat(40),
            "f(".repeat(1000),
            "((((((((((".repeat(100),
        ] {
            // Some of them are read; none takes long.
            let _ = text.parse::<Expression>();
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(5), "{:?}", begin.elapsed());
    }

    #[test]
    fn the_text_is_what_is_compared_and_written() {
        let one: Expression = "request.path == '/a'".parse().unwrap();
        assert_eq!(one.to_string(), "request.path == '/a'");
        assert_eq!(one, one.to_string().parse().unwrap());
    }
}
