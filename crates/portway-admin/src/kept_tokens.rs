//! Tokens of the API in the store.

use std::{fmt, sync::Arc};

use portway_store::{Entry, Error, Expect, Key, List, Prefix, Store, Transaction};

use crate::{
    access::{BoxFuture, Moment, Stored, TokenRecord, Tokens, TokensFailed},
    ledger::keys,
};

/// Keeps tokens in a store: each under its id, and its id under its name.
pub struct KeptTokens(Arc<dyn Store>);

impl KeptTokens {
    /// Those of a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    async fn read(&self, id: &str) -> Result<Option<(Entry, TokenRecord)>, TokensFailed> {
        // What is no key can be no token's.
        let Some(key) = under(&keys::tokens(), id) else { return Ok(None) };
        let Some(entry) = self.0.get(&key).await.map_err(failed)? else { return Ok(None) };
        let record = record(&entry)?;
        Ok(Some((entry, record)))
    }
}

impl Tokens for KeptTokens {
    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TokenRecord>, TokensFailed>> {
        Box::pin(async move { Ok(self.read(id).await?.map(|(_, record)| record)) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<TokenRecord>, TokensFailed>> {
        Box::pin(async move {
            let page = self.0.list(List::of(&keys::tokens())).await.map_err(failed)?;
            let mut records = page.entries.iter().map(record).collect::<Result<Vec<_>, _>>()?;
            records.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(records)
        })
    }

    fn create(&self, record: TokenRecord) -> BoxFuture<'_, Result<Stored, TokensFailed>> {
        Box::pin(async move {
            let (key, name) = key_and_name(&record)?;
            let value = serde_json::to_vec(&record).map_err(TokensFailed::because)?;
            let transaction = Transaction::new()
                .expect(&key, Expect::Absent)
                .expect(&name, Expect::Absent)
                .put(&key, value)
                .put(&name, record.id.into_bytes());
            match self.0.commit(transaction).await {
                Ok(_) => Ok(Stored::New),
                Err(Error::Conflict(_)) => Ok(Stored::Taken),
                Err(error) => Err(failed(error)),
            }
        })
    }

    fn touch<'a>(&'a self, id: &'a str, used: Moment) -> BoxFuture<'a, Result<(), TokensFailed>> {
        Box::pin(async move {
            let Some((entry, mut record)) = self.read(id).await? else { return Ok(()) };
            record.last_used_at = Some(used);
            let value = serde_json::to_vec(&record).map_err(TokensFailed::because)?;
            let transaction = Transaction::new()
                .expect(&entry.key, Expect::ChangedAt(entry.changed))
                .put(&entry.key, value);
            match self.0.commit(transaction).await {
                // Somebody else has noted it, or it is gone.
                Ok(_) | Err(Error::Conflict(_)) => Ok(()),
                Err(error) => Err(failed(error)),
            }
        })
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, TokensFailed>> {
        Box::pin(async move {
            let Some((entry, record)) = self.read(id).await? else { return Ok(false) };
            let (_, name) = key_and_name(&record)?;
            let transaction = Transaction::new()
                .expect(&entry.key, Expect::Present)
                .delete(&entry.key)
                .delete(&name);
            match self.0.commit(transaction).await {
                Ok(_) => Ok(true),
                Err(Error::Conflict(_)) => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

fn key_and_name(record: &TokenRecord) -> Result<(Key, Key), TokensFailed> {
    let key = keys::tokens().key(&record.id).map_err(TokensFailed::because)?;
    let name = keys::token_names().key(record.name.as_str()).map_err(TokensFailed::because)?;
    Ok((key, name))
}

fn under(prefix: &Prefix, id: &str) -> Option<Key> {
    prefix.key(id).ok()
}

fn record(entry: &Entry) -> Result<TokenRecord, TokensFailed> {
    serde_json::from_slice(&entry.value).map_err(TokensFailed::because)
}

fn failed(error: Error) -> TokensFailed {
    let is_full = matches!(error, Error::Full { .. });
    let failed = TokensFailed::because(error);
    if is_full { failed.full() } else { failed }
}

impl fmt::Debug for KeptTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptTokens").finish_non_exhaustive()
    }
}
