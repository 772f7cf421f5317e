//! The HTTP of the API: from a request to what is done, and from what came of it to an answer.
//!
//! [`OPERATIONS`](operation::OPERATIONS) lists everything that can be asked for. The router, the
//! `OpenAPI` document and the explorer page are made of that list; an operation is one line there
//! and one function.

mod answer;
mod apply;
mod audit;
mod backup;
mod context;
mod documents;
mod explain;
mod extensions;
mod kinds;
mod live;
mod lookup;
mod openapi;
mod operation;
mod pages;
mod query;
mod resources;
mod revisions;
mod service;
mod status;
mod tokens;
mod unique;
mod watch;
mod writing;

pub use extensions::{Extension, Extensions};
pub use openapi::document as openapi;
pub use service::{Api, Setup};
