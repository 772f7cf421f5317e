//! Plugins around the way of a request: which of them stand there, and one request's run through
//! them.
//!
//! A [`Chain`] is made for each way through the gateway (listener, route, destination) when a
//! configuration is compiled; ways with the same plugins share one. A route without plugins has
//! none and pays nothing. What a plugin does is the plugin's; this room only calls it, keeps its
//! failures to its own request, and counts.

mod compile;
mod condition;
mod dry_run;
mod facts;
mod instances;
mod run;

pub(crate) use compile::{Chain, Chains, Link};
pub(crate) use facts::{Found, RequestFacts};
pub(crate) use instances::{Instances, Running};
pub(crate) use run::{End, Steps, Walk};
