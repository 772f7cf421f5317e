//! A scripted TCP upstream: what a faulty server does, on purpose and to the byte.
//!
//! A script is an async function over one accepted [`RawConnection`]; [`RawUpstream`] runs it for
//! each connection and keeps every byte that was read, so that a test can say "nothing was
//! forwarded" or "this was never sent twice". The room [`script`] has the common faults ready.
//! It parses no more than is needed to find the end of a request, and never answers by itself.
//!
//! ```
//! use portway_testkit::{RawClient, RawUpstream};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let upstream = RawUpstream::start(async |mut connection| {
//!     connection.read_head().await?;
//!     connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal").await?;
//!     connection.reset()
//! })
//! .await?;
//!
//! let mut client = RawClient::connect(upstream.addr()).await?;
//! let cut = client.exchange("GET /half HTTP/1.1\r\nHost: a\r\n\r\n").await;
//! assert_eq!(cut.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
//! assert_eq!(upstream.count_of("GET /half"), 1);
//! # Ok(())
//! # }
//! ```

mod connection;
mod refused;
pub mod script;
mod upstream;

pub use connection::{RawConnection, RawRequest};
pub use refused::{Refused, refused_addr};
pub use upstream::RawUpstream;
