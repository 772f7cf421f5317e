//! Notes to the access record.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// The longest key, with the name of the plugin before it, in bytes.
const MAX_KEY: usize = 128;
/// The longest value, in bytes.
const MAX_VALUE: usize = 4 * 1024;
/// The most notes of one request.
const MAX_NOTES: usize = 32;

/// What plugins add to the access record of one request.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Vec<Note>>);

/// One note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `rate-limit.remaining`: the plugin, and its own word.
    pub key: Box<str>,
    /// What it says.
    pub value: Box<str>,
}

/// Why a note was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedNote {
    /// The key is empty, too long, or not of letters, digits, `_`, `-` and `.`.
    Key,
    /// The value is too long.
    Value,
    /// The request has as many as it may.
    TooMany,
}

impl Notes {
    pub(crate) fn add(&self, plugin: &str, key: &str, value: String) -> Result<(), RefusedNote> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if key.is_empty() || !key.bytes().all(good) || plugin.len() + 1 + key.len() > MAX_KEY {
            return Err(RefusedNote::Key);
        }
        if value.len() > MAX_VALUE {
            return Err(RefusedNote::Value);
        }
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |note: &&mut Note| {
            note.key.strip_prefix(plugin).and_then(|rest| rest.strip_prefix('.')) == Some(key)
        };
        if let Some(note) = notes.iter_mut().find(same) {
            note.value = value.into();
        } else if notes.len() < MAX_NOTES {
            notes.push(Note { key: format!("{plugin}.{key}").into(), value: value.into() });
        } else {
            return Err(RefusedNote::TooMany);
        }
        Ok(())
    }

    /// Takes what was noted so far.
    #[must_use]
    pub fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for RefusedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => write!(f, "a note's key has 1 to {MAX_KEY} letters, digits, _, - and ."),
            Self::Value => write!(f, "a note's value is longer than {MAX_VALUE} bytes"),
            Self::TooMany => write!(f, "a request has {MAX_NOTES} notes already"),
        }
    }
}

impl std::error::Error for RefusedNote {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_bounded_and_named_after_their_plugin() {
        let notes = Notes::default();
        let add = |key: &str, value: &str| notes.add("acl", key, value.to_owned());
        assert_eq!(add("group", "a"), Ok(()));
        assert_eq!(add("group", "b"), Ok(()));
        assert_eq!(add("", "b"), Err(RefusedNote::Key));
        assert_eq!(add("a b", "b"), Err(RefusedNote::Key));
        assert_eq!(add(&"k".repeat(125), "b"), Err(RefusedNote::Key));
        assert_eq!(add("k", &"v".repeat(MAX_VALUE + 1)), Err(RefusedNote::Value));
        let noted = notes.take();
        assert_eq!(noted, [Note { key: "acl.group".into(), value: "b".into() }]);
        (0..MAX_NOTES).for_each(|at| add(&format!("k{at}"), "").unwrap());
        assert_eq!(add("more", ""), Err(RefusedNote::TooMany));
    }
}
