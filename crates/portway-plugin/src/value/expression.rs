//! Expressions over a request, in CEL (the Common Expression Language).

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::{Arc, OnceLock},
};

use cel::{
    Context, Env, Value,
    objects::{Key, Map},
    parser::{Expression as Tree, ExpressionReferences, PrattParser},
};

use super::text::{InvalidValue, Quoted, text_form};
use crate::{Exchange, Request};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 4 * 1024;
/// How deep brackets may nest. Judged before the expression is parsed, and by the parser again for
/// what nests without brackets.
const MAX_DEPTH: u16 = 64;
/// The most nodes of an expression, once its macros are written out.
const MAX_NODES: usize = 4096;
/// What an expression may speak of.
const VARIABLES: [&str; 6] = ["request", "client", "consumer", "route", "service", "listener"];

/// An expression in CEL, prepared: `request.method == "POST" && "ops" in consumer.groups`.
///
/// It may speak of `request` (`method`, `path`, `query`, `host`, `scheme`, `protocol`, `headers` by
/// lower-case name), `client` (`ip`), `consumer` (`name`, `custom_id`, `groups`, `claims`; a map
/// without keys while nobody knows who asks), `route`, `service` and `listener`.
#[derive(Clone)]
pub struct Expression {
    text: Box<str>,
    tree: Arc<Tree>,
    /// Those of [`VARIABLES`] it speaks of: the others are not prepared for it.
    variables: Box<[&'static str]>,
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
        match self.value(request, exchange)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(NoValue(format!("{other:?} is neither true nor false"))),
        }
    }

    /// What it says of a request, as text.
    ///
    /// # Errors
    /// It is neither a text, a number nor a truth.
    pub fn text(&self, request: &Request, exchange: &Exchange<'_>) -> Result<String, NoValue> {
        match self.value(request, exchange)? {
            Value::String(text) => Ok(text.to_string()),
            Value::Int(number) => Ok(number.to_string()),
            Value::UInt(number) => Ok(number.to_string()),
            Value::Float(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            other => Err(NoValue(format!("{other:?} is no text"))),
        }
    }

    fn value(&self, request: &Request, exchange: &Exchange<'_>) -> Result<Value, NoValue> {
        static STANDARD: OnceLock<Arc<Env>> = OnceLock::new();
        let standard = STANDARD.get_or_init(|| Arc::new(Env::stdlib()));
        let mut context = Context::with_env(Arc::clone(standard));
        for name in &self.variables {
            context.add_variable_from_value(*name, variable(name, request, exchange));
        }
        context.resolve(&self.tree).map_err(|error| NoValue(error.to_string()))
    }
}

fn variable(name: &str, request: &Request, exchange: &Exchange<'_>) -> Value {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    match name {
        "request" => self::request(request, exchange),
        "client" => map([("ip", exchange.client().to_string().into())]),
        "consumer" => exchange.consumer().map_or_else(
            || map([]),
            |consumer| {
                let groups: Vec<Value> =
                    consumer.groups.iter().map(|one| Value::from(&**one)).collect();
                let claims = consumer.claims.iter().flat_map(|claims| claims.iter());
                let claims = claims.map(|(name, value)| (name.as_str(), json(value)));
                map([
                    ("name", Value::from(&*consumer.name)),
                    ("custom_id", text(consumer.custom_id.as_deref())),
                    ("groups", groups.into()),
                    ("claims", map(claims)),
                ])
            },
        ),
        "route" => text(exchange.route()),
        "service" => text(exchange.service()),
        _ => Value::from(exchange.listener()),
    }
}

fn request(request: &Request, exchange: &Exchange<'_>) -> Value {
    let headers = request.headers();
    let fields = headers.keys().map(|name| {
        // Several lines of one field are one list (RFC 9110 section 5.3).
        let lines = headers.get_all(name).iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        (name.as_str(), Value::from(lines.join(", ")))
    });
    map([
        ("method", Value::from(request.method().as_str())),
        ("path", Value::from(request.uri().path())),
        ("query", Value::from(request.uri().query().unwrap_or_default())),
        ("host", Value::from(exchange.host())),
        ("scheme", Value::from(exchange.scheme())),
        ("protocol", Value::from(format!("{:?}", exchange.protocol()))),
        ("headers", map(fields)),
    ])
}

#[expect(single_use_lifetimes, reason = "the language wants a name for it here")]
fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (Key::from(key), value));
    Value::Map(Map { map: Arc::new(entries.collect::<HashMap<_, _>>()) })
}

fn json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, Some(float)) => Value::Float(float),
            (None, None) => Value::Null,
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(list) => list.iter().map(json).collect::<Vec<_>>().into(),
        serde_json::Value::Object(fields) => {
            map(fields.iter().map(|(name, value)| (name.as_str(), json(value))))
        }
    }
}

impl FromStr for Expression {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.len() > MAX_LENGTH {
            return Err(refusal(text, &format!("it is longer than {MAX_LENGTH} bytes")));
        }
        if deepest(text) > usize::from(MAX_DEPTH) {
            return Err(refusal(text, &format!("its brackets nest deeper than {MAX_DEPTH}")));
        }
        let tree = PrattParser::new()
            .max_recursion_depth(MAX_DEPTH)
            .max_expression_node_count(MAX_NODES)
            .error_reporting_limit(1)
            .parse(text)
            .map_err(|errors| {
                let first = errors.errors.first().map(|error| error.msg.clone());
                refusal(text, first.as_deref().unwrap_or("it cannot be read"))
            })?;
        let references: ExpressionReferences<'_> = tree.references();
        if let Some(other) =
            references.variables().into_iter().find(|name| !VARIABLES.contains(name))
        {
            let why = format!("there is no {}", Quoted(other));
            return Err(refusal(text, &why).hint(format!("there are {}", VARIABLES.join(", "))));
        }
        let variables =
            VARIABLES.into_iter().filter(|name| references.has_variable(name)).collect();
        Ok(Self { text: text.into(), tree: Arc::new(tree), variables })
    }
}

/// How deep brackets nest, also those in texts: no expression needs so many.
fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
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

#[cfg(test)]
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
        assert_eq!(*one.variables, ["request"]);
    }
}
