//! What stands in the place of CEL in a build without it.

use std::convert::Infallible;

use super::{InvalidValue, NoValue};
use crate::{Exchange, Request};

/// There are none.
#[derive(Clone)]
pub(super) struct Program(Infallible);

impl Program {
    pub(super) fn read(_: &str) -> Result<Self, InvalidValue> {
        let problem = InvalidValue::new("this build knows no expressions");
        let problem = problem.code("not_in_this_build");
        Err(problem.hint("build portway with the feature expressions"))
    }

    pub(super) fn holds(&self, _: &Request, _: &Exchange<'_>) -> Result<bool, NoValue> {
        match self.0 {}
    }

    pub(super) fn text(&self, _: &Request, _: &Exchange<'_>) -> Result<String, NoValue> {
        match self.0 {}
    }
}
