//! A stage for one plugin: it is made from a spec as a configuration would, started, and called
//! with requests; a target of the test's own stands behind it.
//!
//! Time is tokio's, so that a test with a paused clock decides it. What a plugin asks of other
//! servers is answered by the test too ([`Stage::fetched`]): for the gateway's own client there are
//! the gateway's tests.
//!
//! ```
//! use portway_testkit::plugin::Stage;
//! # use portway_plugin::{Next, Plugin, Problem, Request, Response, Result};
//! # struct Nothing;
//! # impl Plugin for Nothing {
//! #     const NAME: &'static str = "nothing";
//! #     type Spec = serde_json::Map<String, serde_json::Value>;
//! #     fn create(_: Self::Spec) -> Result<Self, Problem> { Ok(Self) }
//! #     async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
//! #         next.run(request).await
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let stage = Stage::of::<Nothing>(serde_json::json!({})).await.expect("the spec is good");
//! let seen = stage.get("/x").await;
//! assert_eq!(seen.status(), 200);
//! assert_eq!(seen.target().expect("it was sent on").uri(), "/x");
//! # }
//! ```

mod facts;
mod outside;
mod seen;
mod stage;

pub use facts::Known;
pub use seen::Seen;
pub use stage::Stage;
