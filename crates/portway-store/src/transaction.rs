//! What is written at once, and on what condition.

use std::fmt;

use bytes::Bytes;

use crate::{
    entry::Revision,
    error::Error,
    key::{Key, Prefix},
};

/// Comparisons, puts and deletes that happen together or not at all.
///
/// Every comparison looks at the state before the transaction. A key may be written once: two
/// operations on one key are refused, as etcd refuses them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) operations: Vec<Operation>,
}

impl Transaction {
    /// One that does nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Happens only if `key` is as expected.
    #[must_use]
    pub fn expect(mut self, key: &Key, expect: Expect) -> Self {
        self.comparisons.push(Comparison { key: key.clone(), expect });
        self
    }

    /// Writes `value` to `key`.
    #[must_use]
    pub fn put(mut self, key: &Key, value: impl Into<Bytes>) -> Self {
        self.operations.push(Operation::Put { key: key.clone(), value: value.into() });
        self
    }

    /// Deletes `key`, if it is there.
    #[must_use]
    pub fn delete(mut self, key: &Key) -> Self {
        self.operations.push(Operation::Delete { key: key.clone() });
        self
    }

    /// Deletes everything below `prefix`. Counts as one operation.
    #[must_use]
    pub fn delete_below(mut self, prefix: &Prefix) -> Self {
        self.operations.push(Operation::DeleteBelow { prefix: prefix.clone() });
        self
    }

    /// What must hold for it to happen.
    #[must_use]
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    /// What it does.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many bytes of keys and values it carries.
    #[must_use]
    pub fn size(&self) -> usize {
        let compared = self.comparisons.iter().map(|comparison| comparison.key.as_str().len());
        compared.chain(self.operations.iter().map(Operation::size)).sum()
    }

    /// Refuses what a store with these limits cannot take, before anything is queued.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], or [`Error::Invalid`] when a key is written twice.
    pub fn check(&self, limits: &Limits) -> Result<(), Error> {
        let within = |what, size: usize, limit: usize| {
            if size > limit { Err(Error::TooLarge { what, size, limit }) } else { Ok(()) }
        };
        within("operations in a transaction", self.operations.len(), limits.operations)?;
        within("comparisons in a transaction", self.comparisons.len(), limits.operations)?;
        for operation in &self.operations {
            if let Operation::Put { value, .. } = operation {
                within("bytes of a value", value.len(), limits.value)?;
            }
        }
        within("bytes of a transaction", self.size(), limits.transaction)?;
        self.written_once()
    }

    fn written_once(&self) -> Result<(), Error> {
        let twice = |path: &str| Err(Error::Invalid(format!("{path} is written twice")));
        let mut keys = Vec::with_capacity(self.operations.len());
        for operation in &self.operations {
            match operation {
                Operation::Put { key, .. } | Operation::Delete { key } => keys.push(key.as_str()),
                Operation::DeleteBelow { .. } => {}
            }
        }
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return twice(pair[0]);
        }
        let mut folders: Vec<&str> = Vec::new();
        for operation in &self.operations {
            let Operation::DeleteBelow { prefix } = operation else { continue };
            let prefix = prefix.as_str();
            // Sorted keys: the first one that is not before the prefix is the only suspect.
            let at = keys.partition_point(|key| *key < prefix);
            if let Some(key) = keys.get(at).filter(|key| key.starts_with(prefix)) {
                return twice(key);
            }
            folders.push(prefix);
        }
        folders.sort_unstable();
        match folders.windows(2).find(|pair| pair[1].starts_with(pair[0])) {
            Some(pair) => twice(pair[1]),
            None => Ok(()),
        }
    }
}

/// A condition of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The key it looks at.
    pub key: Key,
    /// How it must be.
    pub expect: Expect,
}

/// How a key must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It does not exist.
    Absent,
    /// It exists.
    Present,
    /// It exists, and this revision wrote it last.
    ChangedAt(Revision),
}

impl Expect {
    /// Whether a key that was written last at `found` is as expected.
    #[must_use]
    pub fn meets(self, found: Option<Revision>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::Present => found.is_some(),
            Self::ChangedAt(revision) => found == Some(revision),
        }
    }
}

/// One change of a transaction. What is put is not shown when it is printed.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the methods of `Transaction` take")]
pub enum Operation {
    /// Writes a value.
    Put { key: Key, value: Bytes },
    /// Deletes a key; nothing when it does not exist.
    Delete { key: Key },
    /// Deletes every key below a prefix.
    DeleteBelow { prefix: Prefix },
}

impl Operation {
    fn size(&self) -> usize {
        match self {
            Self::Put { key, value } => key.as_str().len() + value.len(),
            Self::Delete { key } => key.as_str().len(),
            Self::DeleteBelow { prefix } => prefix.as_str().len(),
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, value } => write!(f, "put {key} ({} bytes)", value.len()),
            Self::Delete { key } => write!(f, "delete {key}"),
            Self::DeleteBelow { prefix } => write!(f, "delete below {prefix}"),
        }
    }
}

/// What one transaction may hold. Keys have one limit everywhere, [`Key::MAX_LENGTH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many operations, and how many comparisons.
    pub operations: usize,
    /// Bytes of one value. The same for every store, so that what one holds fits into another.
    pub value: usize,
    /// Bytes of keys and values together.
    pub transaction: usize,
}

impl Limits {
    /// Of stores inside this process.
    pub const LOCAL: Self = Self { operations: 65_536, value: 1_500_000, transaction: 64 << 20 };

    /// Of etcd as it comes: `--max-txn-ops 128`, `--max-request-bytes 1.5 MiB` less the frame
    /// around keys and values.
    pub const ETCD: Self = Self { operations: 128, value: 1_500_000, transaction: 1_540_000 };
}
