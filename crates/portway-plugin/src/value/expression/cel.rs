//! Expressions as the interpreter of CEL runs them.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use cel::{
    Context, Env, Value,
    objects::{Key, Map},
    parser::{Expression as Tree, ExpressionReferences, PrattParser},
};

use super::{InvalidValue, NoValue, Quoted, refusal};
use crate::{Exchange, Request};

/// How deep brackets may nest. Judged before the expression is parsed, and by the parser again for
/// what nests without brackets.
const MAX_DEPTH: u16 = 64;
/// The most nodes of an expression, once its macros are written out.
const MAX_NODES: usize = 4096;
/// What an expression may speak of.
const VARIABLES: [&str; 6] = ["request", "client", "consumer", "route", "service", "listener"];

/// An expression that was parsed.
#[derive(Clone)]
pub(super) struct Program {
    tree: Arc<Tree>,
    /// Those of [`VARIABLES`] it speaks of: the others are not prepared for it.
    variables: Box<[&'static str]>,
}

impl Program {
    pub(super) fn read(text: &str) -> Result<Self, InvalidValue> {
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
        Ok(Self { tree: Arc::new(tree), variables })
    }

    pub(super) fn holds(
        &self,
        request: &Request,
        exchange: &Exchange<'_>,
    ) -> Result<bool, NoValue> {
        match self.value(request, exchange)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(NoValue(format!("{other:?} is neither true nor false"))),
        }
    }

    pub(super) fn text(
        &self,
        request: &Request,
        exchange: &Exchange<'_>,
    ) -> Result<String, NoValue> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_it_speaks_of_is_prepared_for_it() {
        let one = Program::read("request.path == '/a'").unwrap();
        assert_eq!(*one.variables, ["request"]);
    }
}
