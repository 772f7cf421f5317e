//! `concurrency-limit` at work.

use std::sync::Arc;

use portway_plugin::{
    Next, Plugin, Problem, Request, Response, ResponseExt, Result, value::ErrorStatus,
};

use super::{ConcurrencyLimitSpec, error::TooManyAtOnce, table::Table};
use crate::keys::Keys;

/// Serves so many requests of each key at once.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    keys: Keys,
    max: u32,
    status: ErrorStatus,
    pub(super) table: Arc<Table>,
}

impl Plugin for ConcurrencyLimit {
    const NAME: &'static str = "concurrency-limit";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = ConcurrencyLimitSpec;

    fn create(spec: ConcurrencyLimitSpec) -> Result<Self, Problem> {
        Ok(Self {
            keys: Keys::new(spec.key),
            max: spec.max.get(),
            status: spec.status,
            table: Table::new(),
        })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let Some(key) = self.keys.of(&request, next.exchange())? else {
            return next.run(request).await;
        };
        let permit = self.table.enter(key, self.max);
        let permit = permit.ok_or(TooManyAtOnce { status: self.status })?;
        let mut response = next.run(request).await?;
        response.keep(permit);
        Ok(response)
    }
}
