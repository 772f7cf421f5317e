//! What is wrong with a gateway, for programs.

use std::{error::Error, fmt, ops::Deref, str::FromStr};

use portway_plugin::{Problem, value::InvalidValue};

/// All that is wrong with a configuration or its start, each with its path, place and hint where it
/// has them. Its `Debug` is as readable as its `Display`, so that `main` may return it.
#[derive(Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl From<Vec<Problem>> for Problems {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl From<Problems> for Vec<Problem> {
    fn from(problems: Problems) -> Self {
        problems.0
    }
}

impl Deref for Problems {
    type Target = [Problem];

    fn deref(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let line = if at > 0 { "\n" } else { "" };
            write!(f, "{line}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Problems {}

/// The value of a text, or what is wrong with it, which stands at `path`.
pub(crate) fn read<T: FromStr<Err = InvalidValue>>(text: &str, path: &str) -> Result<T, Problem> {
    text.parse().map_err(|invalid: InvalidValue| {
        let problem = Problem::new(invalid.code, invalid.message).at(path);
        Problem { hint: invalid.hint, ..problem }
    })
}
