//! Reads values off named texts: the placeholders of a path, the cookies of a request.

use std::fmt;

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error as _, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

/// Reads a struct or a map by names, a tuple or a list by order, or a single value.
pub(super) fn read<T: DeserializeOwned>(pairs: Vec<(&str, String)>) -> Result<T, Error> {
    T::deserialize(Pairs(pairs))
}

struct Pairs<'a>(Vec<(&'a str, String)>);

impl<'a> Pairs<'a> {
    fn only(self) -> Result<Text<'a>, Error> {
        let count = self.0.len();
        match <[(&'a str, String); 1]>::try_from(self.0) {
            Ok([(name, text)]) => Ok(Text { name, text }),
            Err(_) => Err(Error::custom(format!("one value is wanted, and there are {count}"))),
        }
    }

    fn texts(self) -> SeqDeserializer<impl Iterator<Item = Text<'a>>, Error> {
        SeqDeserializer::new(self.0.into_iter().map(|(name, text)| Text { name, text }))
    }
}

/// What reads a single value.
macro_rules! single {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.only()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Pairs<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let texts = self.0.into_iter().map(|(name, text)| (name.to_owned(), Text { name, text }));
        visitor.visit_map(MapDeserializer::new(texts))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.texts())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.len() != length {
            let count = self.0.len();
            return Err(Error::custom(format!(
                "{length} values are wanted, and there are {count}"
            )));
        }
        visitor.visit_seq(self.texts())
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    single! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf
    }

    forward_to_deserialize_any! { option unit_struct map struct identifier ignored_any }
}

/// A text that may stand for a number or a truth value.
struct Text<'a> {
    name: &'a str,
    text: String,
}

/// What the text is parsed as.
macro_rules! parsed {
    ($($method:ident $visit:ident $kind:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.parse::<$kind>(stringify!($kind))?)
        }
    )*};
}

impl Text<'_> {
    fn parse<T: std::str::FromStr>(&self, kind: &str) -> Result<T, Error>
    where
        T::Err: fmt::Display,
    {
        let Self { name, text } = self;
        // The text is the client's own, and it is told which one is meant.
        text.parse()
            .map_err(|error| Error::custom(format!("{name}: {text:?} is no {kind}: {error}")))
    }
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.text.into_deserializer())
    }

    parsed! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
        deserialize_char visit_char char,
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        id: u32,
        side: Side,
        note: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Left,
    }

    fn pairs() -> Vec<(&'static str, String)> {
        vec![("id", "7".into()), ("side", "left".into())]
    }

    #[test]
    fn structs_tuples_and_single_values() {
        assert_eq!(read::<Item>(pairs()), Ok(Item { id: 7, side: Side::Left, note: None }));
        assert_eq!(read::<(u8, Side)>(pairs()), Ok((7, Side::Left)));
        assert_eq!(read::<Vec<String>>(pairs()), Ok(vec!["7".into(), "left".into()]));
        assert_eq!(read::<u64>(vec![("id", "7".into())]), Ok(7));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let error = read::<u64>(vec![("id", "x".into())]).unwrap_err().to_string();
        assert!(error.contains("id: \"x\" is no u64"), "{error}");
        let of_several = vec![("shop", "7".into()), ("id", "x".into())];
        let error = read::<(u8, u8)>(of_several).unwrap_err().to_string();
        assert!(error.contains("id: \"x\" is no u8"), "{error}");
        assert!(read::<(u8,)>(pairs()).is_err());
        assert!(read::<u64>(pairs()).is_err());
    }
}
