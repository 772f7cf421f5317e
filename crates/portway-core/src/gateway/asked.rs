//! What balancers are told of a request. Nothing is worked out before they ask.

use std::net::IpAddr;

use http::uri::PathAndQuery;
use portway_config::balance;

use super::Matched;
use crate::{route::MatchId, snapshot::View};

/// A request whose route has been found.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) client: &'a IpAddr,
    /// The path in its normal form.
    pub(super) path: &'a str,
    pub(super) target: Option<&'a PathAndQuery>,
    pub(super) view: &'a View,
    pub(super) id: MatchId,
    /// The path by which the route was found, which the captures are parts of.
    pub(super) found_by: &'a str,
}

impl<'a> Asked<'a> {
    /// A request as it is forwarded.
    pub(super) fn of(matched: &'a Matched<'_>, client: &'a IpAddr, view: &'a View) -> Self {
        let Matched { path, id, found_by, original, .. } = matched;
        Self { client, path, target: Some(original), view, id: *id, found_by }
    }
}

impl balance::Asked for Asked<'_> {
    fn client(&self) -> IpAddr {
        *self.client
    }

    fn path(&self) -> Option<&str> {
        Some(self.path)
    }

    fn query(&self) -> Option<&str> {
        self.target?.query()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.view.snapshot.router.captures(self.id, self.found_by, &self.view.regexes).get(name)
    }
}
