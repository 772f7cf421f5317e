//! JSON in which each key stands in its map once. Of two, some readers take the first and some the
//! last: what was checked here would not be what others see.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
};

use portway_config::{Problem, value::Quoted};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a value, and finds each key that stands in its map once more (`duplicate_key`).
///
/// # Errors
/// It is no JSON.
pub(super) fn read(text: &[u8]) -> serde_json::Result<(Value, Vec<Problem>)> {
    let mut keys = Keys::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = keys.deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, keys.problems))
}

/// Where the reader is, and what it has found so far.
#[derive(Default)]
struct Keys {
    /// As people write it: `servers[0].name`.
    path: String,
    problems: Vec<Problem>,
}

impl Keys {
    /// Reads what is one step further.
    fn below<T>(&mut self, step: fmt::Arguments<'_>, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        // A text takes all that is written to it.
        let _ = self.path.write_fmt(step);
        let value = read(self);
        self.path.truncate(length);
        value
    }
}

impl<'de> DeserializeSeed<'de> for &mut Keys {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Keys {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let at = values.len();
            match self.below(format_args!("[{at}]"), |keys| list.next_element_seed(keys))? {
                Some(value) => values.push(value),
                None => return Ok(values.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut values, mut twice) = (Map::new(), BTreeSet::new());
        while let Some(key) = map.next_key::<String>()? {
            let dot = if self.path.is_empty() { "" } else { "." };
            let value = self.below(format_args!("{dot}{key}"), |keys| {
                if values.contains_key(&key) && twice.insert(key.clone()) {
                    let message = format!("the key {} is there twice", Quoted(&key));
                    keys.problems.push(Problem::new("duplicate_key", message).at(&*keys.path));
                }
                map.next_value_seed(keys)
            })?;
            values.insert(key, value);
        }
        Ok(values.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_that_others_read() {
        for text in [
            "null",
            "[]",
            "{}",
            " {\"a\": [1, -2, 2.5, 1e300, 18446744073709551615, true, \"\\u00e9\"], \"b\": {\"a\": {}}} ",
        ] {
            let (value, problems) = read(text.as_bytes()).unwrap();
            assert_eq!((value, problems.len()), (serde_json::from_str(text).unwrap(), 0), "{text}");
        }
        for text in ["", "{", "{} {}", "[1,]", "{\"a\" 1}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn each_key_that_is_there_twice_is_told_once() {
        let text = r#"{"a": 1, "b": [{"c": 1, "c": 2}, {"c": 3}], "a": {"d": 1, "d": 2}, "a": 3}"#;
        let (_, problems) = read(text.as_bytes()).unwrap();
        let found: Vec<_> = problems.iter().map(|one| (one.code, one.path.as_str())).collect();
        let code = "duplicate_key";
        assert_eq!(found, [(code, "b[0].c"), (code, "a"), (code, "a.d")]);
        assert_eq!(problems[1].message, "the key \"a\" is there twice");
    }
}
