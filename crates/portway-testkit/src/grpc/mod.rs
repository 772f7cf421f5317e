//! The interoperability test of gRPC: its service, a client, and its cases.
//!
//! The service `grpc.testing.TestService` and the cases are those every implementation of gRPC is
//! tested with against every other one; their public description calls them by the same names.
//! [`Interop`] serves it, [`InteropClient`] calls it, and [`cases()`] are what a gateway in between
//! must let happen. Both ends stand on tonic and are stricter than one would be in production:
//! the server fails calls without `te: trailers`, the client takes no answer that is not gRPC.
//!
//! Both speak HTTP/2 in the clear, or over what the test makes of a connection, such as TLS:
//! [`Interop::spawn_over`] and [`InteropClient::over`]. There is no compression, no authentication and no half-duplex call here.
//!
//! ```
//! use portway_testkit::grpc::{self, Interop, InteropClient};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Interop::start().await?;
//! // In a test of a gateway, this is the gateway's address.
//! let client = InteropClient::h2c(server.addr()).await?;
//!
//! for (name, case) in grpc::cases() {
//!     case(&client).await?;
//!     println!("{name}: ok");
//! }
//! # Ok(())
//! # }
//! ```

mod call;
mod cases;
mod client;
mod link;
pub mod messages;
mod server;
mod service;

pub use cases::{Case, Outcome, cases, run_all};
pub use client::InteropClient;
pub use server::{Interop, RunningInterop};
