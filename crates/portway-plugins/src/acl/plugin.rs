//! The compiled form.

use std::collections::HashSet;

use http::StatusCode;
use portway_plugin::{
    Consumer, Error, Exchange, Next, Plugin, Problem, Request, Response, Result,
    value::{Cidr, Expression},
};

use super::{AclList, AclSpec};
use crate::identity::{ClaimRules, holds};

/// Lets some in and keeps others out.
#[derive(Debug)]
pub struct Acl {
    allow: Option<List>,
    deny: Option<List>,
}

#[derive(Debug)]
struct List {
    consumers: HashSet<String>,
    groups: HashSet<String>,
    claims: ClaimRules,
    addresses: Vec<Cidr>,
    expression: Option<Expression>,
}

/// What an expression that is neither true nor false makes of a client: whichever keeps it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InDoubt {
    On,
    Off,
}

impl Plugin for Acl {
    const NAME: &'static str = "acl";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = AclSpec;

    fn create(spec: AclSpec) -> Result<Self, Problem> {
        let (allow, deny) = (List::of(spec.allow), List::of(spec.deny));
        if allow.is_none() && deny.is_none() {
            return Err(Problem::new("bad_value", "it allows nobody and denies nobody")
                .at("allow")
                .hint("name consumers, groups, claims, addresses or an expression under allow or deny"));
        }
        Ok(Self { allow, deny })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if let Some(deny) = &self.deny
            && let Some(list) = deny.denies(&request, exchange)
        {
            return Err(denied(next, list));
        }
        if let Some(allow) = &self.allow
            && allow.has(&request, exchange, InDoubt::Off).is_none()
        {
            return Err(denied(next, "allow"));
        }
        next.run(request).await
    }
}

impl List {
    fn of(spec: AclList) -> Option<Self> {
        let AclList { consumers, groups, claims, addresses, expression } = spec;
        let (consumers, groups) = (consumers.into_iter().collect(), groups.into_iter().collect());
        let list = Self { consumers, groups, claims, addresses, expression };
        let says = list.asks_who() || !list.addresses.is_empty() || list.expression.is_some();
        says.then_some(list)
    }

    /// Whether it depends on who asks.
    fn asks_who(&self) -> bool {
        !(self.consumers.is_empty() && self.groups.is_empty() && self.claims.is_empty())
    }

    /// By which of its lists the client is on it.
    fn has(
        &self,
        request: &Request,
        exchange: &Exchange<'_>,
        in_doubt: InDoubt,
    ) -> Option<&'static str> {
        if self.addresses.iter().any(|block| block.contains(exchange.client())) {
            return Some("addresses");
        }
        let by_who = exchange.consumer().and_then(|consumer| self.has_consumer(consumer));
        // Last, because it costs the most.
        by_who.or_else(|| {
            let holds = self.expression.as_ref()?.holds(request, exchange);
            holds.unwrap_or(in_doubt == InDoubt::On).then_some("expression")
        })
    }

    fn has_consumer(&self, consumer: &Consumer) -> Option<&'static str> {
        if self.consumers.contains(&*consumer.name) {
            return Some("consumers");
        }
        if consumer.groups.iter().any(|group| self.groups.contains(&**group)) {
            return Some("groups");
        }
        let claims = consumer.claims.as_ref()?;
        let holds = self.claims.iter().any(|(name, values)| holds(claims, name, values));
        holds.then_some("claims")
    }

    fn denies(&self, request: &Request, exchange: &Exchange<'_>) -> Option<&'static str> {
        let unknown = || (self.asks_who() && exchange.consumer().is_none()).then_some("unknown");
        self.has(request, exchange, InDoubt::On).or_else(unknown)
    }
}

/// The client is not told by which list, the access record is.
fn denied(next: Next<'_>, list: &'static str) -> Error {
    // Without the note the request is denied all the same.
    let _ = next.note("denied_by", list);
    Error::client(StatusCode::FORBIDDEN, "acl_denied", "this is not allowed")
}
