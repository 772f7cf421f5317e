//! Where tokens are kept.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::TokenRecord;
use crate::access::{BoxFuture, Moment};

/// Keeps tokens. Each of its functions is done as a whole or not at all, whoever else does what at
/// the same time.
pub trait Tokens: Send + Sync {
    /// The token kept under this id.
    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TokenRecord>, TokensFailed>>;
    /// All of them, by name.
    fn list(&self) -> BoxFuture<'_, Result<Vec<TokenRecord>, TokensFailed>>;
    /// Keeps a new one, unless one has its name or its id.
    fn create(&self, record: TokenRecord) -> BoxFuture<'_, Result<Stored, TokensFailed>>;
    /// Notes when one was used. One that is gone stays gone.
    fn touch<'a>(&'a self, id: &'a str, used: Moment) -> BoxFuture<'a, Result<(), TokensFailed>>;
    /// Forgets one; `false` when there was none.
    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, TokensFailed>>;
}

/// What became of a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is kept.
    New,
    /// One has its name or its id already.
    Taken,
}

/// The store could not do it.
#[derive(Debug)]
pub struct TokensFailed {
    /// Whether it is because it is full.
    pub is_full: bool,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// Keeps them as long as the process lives.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<BTreeMap<String, TokenRecord>>);

impl TokensFailed {
    /// For this reason.
    pub fn because(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { is_full: false, cause: cause.into() }
    }

    /// There is no room for it.
    #[must_use]
    pub fn full(self) -> Self {
        Self { is_full: true, ..self }
    }
}

impl fmt::Display for TokensFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_full {
            true => "the store of tokens is full",
            false => "the store of tokens does not answer",
        })
    }
}

impl std::error::Error for TokensFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

impl MemoryTokens {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, TokenRecord>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tokens for MemoryTokens {
    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TokenRecord>, TokensFailed>> {
        Box::pin(async move { Ok(self.with(|table| table.get(id).cloned())) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<TokenRecord>, TokensFailed>> {
        Box::pin(async move {
            let mut records: Vec<_> = self.with(|table| table.values().cloned().collect());
            records.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(records)
        })
    }

    fn create(&self, record: TokenRecord) -> BoxFuture<'_, Result<Stored, TokensFailed>> {
        Box::pin(async move {
            Ok(self.with(|table| {
                let is_taken = table.values().any(|kept| kept.name == record.name);
                if is_taken || table.contains_key(&record.id) {
                    return Stored::Taken;
                }
                table.insert(record.id.clone(), record);
                Stored::New
            }))
        })
    }

    fn touch<'a>(&'a self, id: &'a str, used: Moment) -> BoxFuture<'a, Result<(), TokensFailed>> {
        Box::pin(async move {
            self.with(|table| {
                if let Some(record) = table.get_mut(id) {
                    record.last_used_at = Some(used);
                }
            });
            Ok(())
        })
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, TokensFailed>> {
        Box::pin(async move { Ok(self.with(|table| table.remove(id).is_some())) })
    }
}
