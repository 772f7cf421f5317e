//! The requests a plugin is for.

use std::fmt;

use http::{Request, header};
use portway_config::{
    When,
    value::{Cidr, Expression, Name},
};
use portway_plugin::{Body, Exchange};

use crate::route::{Certificate, Entry, Found, Lookup, Regexes, Router, World};

/// Conditions, prepared: those on the request are judged by a router of one route, so that they
/// mean what they mean in a route.
pub(crate) struct Condition {
    router: Router,
    regexes: Regexes,
    clients: Box<[Cidr]>,
    marks: Box<[Name]>,
    expression: Option<Expression>,
}

impl Condition {
    pub(super) fn new(when: &When) -> Self {
        let matches = std::slice::from_ref(&when.request);
        let entry = Entry { id: 0, namespace: None, priority: 0, listeners: &[], matches };
        let (router, regexes) = Router::build([entry]);
        Self {
            router,
            regexes,
            clients: when.clients.clone().into(),
            marks: when.marks.clone().into(),
            expression: when.expression.clone(),
        }
    }

    /// Whether the plugin is for this request, as it has become by the plugins further out.
    pub(super) fn holds(
        &self,
        request: &Request<Body>,
        exchange: &Exchange<'_>,
        certificate: Option<&dyn Certificate>,
    ) -> bool {
        let client = exchange.client();
        if !self.clients.is_empty() && !self.clients.iter().any(|one| one.contains(client)) {
            return false;
        }
        let is_marked = |mark: &Name| exchange.is_marked(mark.as_str());
        if !self.marks.is_empty() && !self.marks.iter().any(is_marked) {
            return false;
        }
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let lookup = Lookup {
            world: World::WHOLE,
            host: host.unwrap_or_default(),
            path: request.uri().path(),
            method: request.method(),
            headers: request.headers(),
            query: request.uri().query(),
            listener: "",
            certificate,
        };
        matches!(self.router.find(&lookup, &self.regexes), Found::Route(_))
            && self.expression.as_ref().is_none_or(|expression| {
                // One that comes to nothing must not switch off a plugin that guards.
                expression.holds(request, exchange).unwrap_or(true)
            })
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("clients", &self.clients).finish_non_exhaustive()
    }
}
