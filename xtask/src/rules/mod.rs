//! The rules of the house that cargo itself cannot state: which crate may depend on which, and
//! which guests from outside are welcome. Each rule is a readable table and a function from cargo
//! metadata to findings, so that tests can show it what it must refuse. Nothing here builds or
//! changes anything.

use std::fmt;

use cargo_metadata::Metadata;

mod arrows;
mod dependencies;
mod licence;
#[cfg(test)]
pub(crate) mod synthetic;

/// One breach of a rule: who, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    subject: String,
    text: String,
}

impl Finding {
    fn new(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { subject: subject.into(), text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.text)
    }
}

/// Every arrow between crates of the workspace that the plan does not allow.
pub(crate) fn arrows(metadata: &Metadata) -> Vec<Finding> {
    arrows::check(metadata)
}

/// Every dependency that breaks a rule on licences, bans, sources, versions or the one table.
pub(crate) fn dependencies(metadata: &Metadata) -> anyhow::Result<Vec<Finding>> {
    dependencies::check(metadata)
}
