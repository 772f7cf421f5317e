//! The contract for code that runs inside the gateway, and the values its configuration is made
//! of. It knows neither tokio nor hyper, so that whoever depends on it compiles fast and cannot
//! reach into the data plane.

mod body;
mod error;
mod problem;
pub mod value;

pub use body::{Body, Request, Response};
pub use error::{Error, Result, Side};
pub use problem::{Place, Problem};
