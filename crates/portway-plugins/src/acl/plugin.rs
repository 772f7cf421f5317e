//! The compiled form.

use std::collections::HashSet;

use http::StatusCode;
use portway_plugin::{
    Error, Exchange, Next, Plugin, Problem, Request, Response, Result, value::Cidr,
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
                .hint("name consumers, groups, claims or addresses under allow or deny"));
        }
        Ok(Self { allow, deny })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let exchange = next.exchange();
        if let Some(deny) = &self.deny
            && let Some(list) = deny.denies(exchange)
        {
            return Err(denied(next, list));
        }
        if let Some(allow) = &self.allow
            && allow.has(exchange).is_none()
        {
            return Err(denied(next, "allow"));
        }
        next.run(request).await
    }
}

impl List {
    fn of(spec: AclList) -> Option<Self> {
        let AclList { consumers, groups, claims, addresses } = spec;
        let (consumers, groups) = (consumers.into_iter().collect(), groups.into_iter().collect());
        let list = Self { consumers, groups, claims, addresses };
        (list.asks_who() || !list.addresses.is_empty()).then_some(list)
    }

    /// Whether it depends on who asks.
    fn asks_who(&self) -> bool {
        !(self.consumers.is_empty() && self.groups.is_empty() && self.claims.is_empty())
    }

    /// By which of its lists the client is on it.
    fn has(&self, exchange: &Exchange<'_>) -> Option<&'static str> {
        if self.addresses.iter().any(|block| block.contains(exchange.client())) {
            return Some("addresses");
        }
        let consumer = exchange.consumer()?;
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

    fn denies(&self, exchange: &Exchange<'_>) -> Option<&'static str> {
        let unknown = || (self.asks_who() && exchange.consumer().is_none()).then_some("unknown");
        self.has(exchange).or_else(unknown)
    }
}

/// The client is not told by which list, the access record is.
fn denied(next: Next<'_>, list: &'static str) -> Error {
    // Without the note the request is denied all the same.
    let _ = next.note("denied_by", list);
    Error::client(StatusCode::FORBIDDEN, "acl_denied", "this is not allowed")
}
