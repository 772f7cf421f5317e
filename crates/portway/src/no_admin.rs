//! What stands in the place of the admin API in a program that was built without it.

use std::{convert::Infallible, future::Ready, sync::Arc};

use portway_config::{Catalog, Config, Origin, Problem};
use portway_core::{AdminService, Changes, Part, source::Vault};

use crate::gateway::Process;

/// What a program adds to it: nothing.
#[derive(Clone, Default)]
pub(crate) struct Extensions;

impl Extensions {
    pub(crate) fn is_empty(&self) -> bool {
        true
    }
}

/// There is none.
pub(crate) struct Opened(Infallible);

/// Says so.
pub(crate) async fn open(
    _: &Config,
    _: &Catalog,
    _: Changes,
    _: &Process,
) -> Result<Opened, Vec<Problem>> {
    let message = "this program was built without the admin API";
    let problem = Problem::new("not_in_this_build", message).at("admin.enabled");
    Err(vec![problem.hint("build portway with the feature admin")])
}

impl Opened {
    pub(crate) fn part(&self) -> (Origin, Part) {
        match self.0 {}
    }

    pub(crate) fn service(&self) -> Arc<dyn AdminService> {
        match self.0 {}
    }

    pub(crate) fn follow(self) -> Ready<()> {
        match self.0 {}
    }

    pub(crate) fn lend(&self, _: Changes, _: Vault) -> Ready<()> {
        match self.0 {}
    }
}
