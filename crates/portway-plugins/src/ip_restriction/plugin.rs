//! `ip-restriction` at work.

use std::net::IpAddr;

use portway_plugin::{Next, Plugin, Problem, Request, Response, Result, value::Name};

use super::{IpRestrictionSpec, error::AddressDenied, ranges::Ranges};

/// Refuses, or marks, requests by the address of their client.
#[derive(Debug)]
pub struct IpRestriction {
    allow: Ranges,
    deny: Ranges,
    mark: Option<Name>,
}

impl Plugin for IpRestriction {
    const NAME: &'static str = "ip-restriction";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = IpRestrictionSpec;

    fn create(spec: IpRestrictionSpec) -> Result<Self, Problem> {
        let (allow, deny) = (Ranges::new(&spec.allow), Ranges::new(&spec.deny));
        if allow.is_empty() && deny.is_empty() {
            let problem = Problem::new("bad_value", "neither allow nor deny names an address");
            return Err(problem.hint("write allow: [10.0.0.0/8]"));
        }
        Ok(Self { allow, deny, mark: spec.mark })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let may = self.lets(next.exchange().client());
        match &self.mark {
            Some(mark) if may => next.exchange().mark(mark.as_str()),
            None if !may => return Err(AddressDenied.into()),
            Some(_) | None => {}
        }
        next.run(request).await
    }
}

impl IpRestriction {
    fn lets(&self, client: IpAddr) -> bool {
        !self.deny.contain(client) && (self.allow.is_empty() || self.allow.contain(client))
    }
}
