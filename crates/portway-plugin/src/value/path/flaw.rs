//! What is wrong with a path in a configuration, and where in it.

use std::borrow::Cow;

use super::AmbiguousPath;
use crate::value::{InvalidValue, Quoted};

/// The byte of a text that is wrong, why, and what to write instead.
#[derive(Debug)]
pub(in crate::value) struct Flaw {
    at: usize,
    why: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
}

impl Flaw {
    pub(in crate::value) fn new(at: usize, why: impl Into<Cow<'static, str>>) -> Self {
        Self { at, why: why.into(), hint: None }
    }

    pub(super) fn ambiguous(at: usize, reason: AmbiguousPath) -> Self {
        Self::new(at, format!("it {}", reason.reason())).hint(match reason {
            AmbiguousPath::MalformedEscape => "write %25 for a percent sign",
            _ => "requests with such a path are refused",
        })
    }

    pub(super) fn relative(text: &str) -> Self {
        Self::new(0, "it does not begin with a slash").hint(format!("write /{text}"))
    }

    pub(in crate::value) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The message for the whole text, which is not `noun`. Characters count from 1.
    pub(in crate::value) fn of(self, text: &str, noun: &str) -> InvalidValue {
        let Self { at, why, hint } = self;
        let at = text.char_indices().take_while(|(start, _)| *start < at).count() + 1;
        let text = Quoted(text);
        InvalidValue {
            hint,
            code: "bad_path",
            ..InvalidValue::new(format!("{text} is not {noun}: {why}, at character {at}"))
        }
    }
}
