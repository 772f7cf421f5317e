//! The arguments of an attribute: `"/path", to = "/x", json = T, multipart`.

use proc_macro2::Span;
use syn::{
    Ident, LitStr, Path, Token, Type, bracketed,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// What an argument's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A type.
    Type,
    /// The name of a function.
    Function,
    /// A list of names of functions.
    Functions,
    /// There is none.
    Flag,
}

/// The value of an argument.
pub(crate) enum Value {
    Text(LitStr),
    Texts(Vec<LitStr>),
    Type(Type),
    Function(Path),
    Functions(Vec<Path>),
    Flag,
}

/// The arguments that were given.
pub(crate) struct Arguments {
    /// The text in front of all others.
    pub(crate) first: Option<LitStr>,
    given: Vec<(Ident, Value)>,
}

impl Arguments {
    /// Reads arguments; those that are not among `known` are refused, and those that come twice.
    pub(crate) fn read(input: ParseStream<'_>, known: &[(&str, Shape)]) -> syn::Result<Self> {
        let first: Option<LitStr> = if input.peek(LitStr) { Some(input.parse()?) } else { None };
        if first.is_some() && !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        let mut arguments = Self { first, given: Vec::new() };
        while !input.is_empty() {
            let name = Ident::parse_any(input)?;
            let Some((_, shape)) = known.iter().find(|(other, _)| name == other) else {
                return Err(unknown(&name, known));
            };
            if arguments.name(&name.to_string()).is_some() {
                return Err(syn::Error::new(name.span(), format!("`{name}` is given twice")));
            }
            let value = value(input, &name, *shape)?;
            arguments.given.push((name, value));
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }

    /// The word of an argument that was given, for its place.
    pub(crate) fn name(&self, name: &str) -> Option<&Ident> {
        self.given.iter().find(|(other, _)| other == name).map(|(other, _)| other)
    }

    pub(crate) fn span(&self, name: &str) -> Span {
        self.name(name).map_or_else(Span::call_site, Ident::span)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.given.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, name: &str) -> &[LitStr] {
        match self.get(name) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub(crate) fn ty(&self, name: &str) -> Option<&Type> {
        match self.get(name)? {
            Value::Type(ty) => Some(ty),
            _ => None,
        }
    }

    pub(crate) fn function(&self, name: &str) -> Option<&Path> {
        match self.get(name)? {
            Value::Function(path) => Some(path),
            _ => None,
        }
    }

    pub(crate) fn functions(&self, name: &str) -> &[Path] {
        match self.get(name) {
            Some(Value::Functions(paths)) => paths,
            _ => &[],
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.name(name).is_some()
    }
}

fn value(input: ParseStream<'_>, name: &Ident, shape: Shape) -> syn::Result<Value> {
    if shape == Shape::Flag {
        if input.peek(Token![=]) {
            let message = format!("`{name}` stands alone, without a value");
            return Err(syn::Error::new(name.span(), message));
        }
        return Ok(Value::Flag);
    }
    let wanted =
        |at: Span| syn::Error::new(at, format!("`{name}` is written `{}`", example(name, shape)));
    input.parse::<Token![=]>().map_err(|_| wanted(name.span()))?;
    let at = if input.is_empty() { name.span() } else { input.span() };
    match shape {
        Shape::Text => input.parse().map(Value::Text),
        Shape::Type => input.parse().map(Value::Type),
        Shape::Function => input.parse().map(Value::Function),
        Shape::Texts => list(input).map(Value::Texts),
        Shape::Functions => list(input).map(Value::Functions),
        Shape::Flag => Ok(Value::Flag),
    }
    .map_err(|_| wanted(at))
}

fn list<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let inner;
    bracketed!(inner in input);
    let items = Punctuated::<T, Token![,]>::parse_terminated(&inner)?;
    Ok(items.into_iter().collect())
}

fn example(name: &Ident, shape: Shape) -> String {
    match shape {
        Shape::Text => format!("{name} = \"…\""),
        Shape::Texts => format!("{name} = [\"…\"]"),
        Shape::Type => format!("{name} = Type"),
        Shape::Function => format!("{name} = function"),
        Shape::Functions => format!("{name} = [function]"),
        Shape::Flag => name.to_string(),
    }
}

fn unknown(name: &Ident, known: &[(&str, Shape)]) -> syn::Error {
    let names: Vec<_> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("there is no argument `{name}`; there are {}", names.join(", "));
    syn::Error::new(name.span(), message)
}
