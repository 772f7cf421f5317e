//! What references brought in, and how to keep it out of messages.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

use portway_plugin::Problem;

/// The values of references, each with how it was written. Messages show the latter.
///
/// Longer values come first, so that one that contains another is found whole.
#[derive(Clone, Default)]
pub(crate) struct Secrets(BTreeMap<(Reverse<usize>, Box<str>), Box<str>>);

impl Secrets {
    /// Shorter values are part of too many words: replacing them would garble every message, and
    /// nothing that short is a secret.
    const SHORTEST: usize = 4;

    pub(super) fn add(&mut self, value: &str, written: &str) {
        if value.len() >= Self::SHORTEST {
            self.0.entry((Reverse(value.len()), value.into())).or_insert_with(|| written.into());
        }
    }

    /// Adds those of another one.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(value, written)| (value.clone(), written.clone())));
    }

    /// Shows references in place of what they brought in.
    pub(crate) fn hide(&self, problem: &mut Problem) {
        if self.0.is_empty() {
            return;
        }
        self.hide_in(&mut problem.message);
        if let Some(hint) = &mut problem.hint {
            self.hide_in(hint);
        }
    }

    fn hide_in(&self, text: &mut Cow<'static, str>) {
        for ((_, value), written) in &self.0 {
            if text.contains(&**value) {
                *text = text.replace(&**value, written).into();
            }
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_show_the_reference() {
        let mut secrets = Secrets::default();
        secrets.add("s3cret", "${KEY}");
        secrets.add("s3cret-and-more", "${file:/more}");
        secrets.add("80", "${PORT}");
        let mut problem =
            Problem::new("x", "the key s3cret-and-more, s3cret, 80").hint("no s3cret");
        secrets.hide(&mut problem);
        assert_eq!(problem.message, "the key ${file:/more}, ${KEY}, 80");
        assert_eq!(problem.hint.as_deref(), Some("no ${KEY}"));
        assert_eq!(format!("{secrets:?}"), "Secrets(2)");
    }
}
