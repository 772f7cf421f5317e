//! An upstream that answers with what it got: HTTP/1.1, HTTP/2, WebSocket over both, and
//! Server-Sent Events, on one port: in the clear (HTTP/2 then by prior knowledge), over TLS, or
//! on a Unix domain socket.
//!
//! Any request is answered with an [`Answer`] in JSON: method, path, query, headers in order,
//! body, trailers, and who answered. The query asks for something else; the path never matters:
//!
//! | in the query | what happens |
//! |---|---|
//! | `wait=30ms` | the head of the answer comes that much later |
//! | `status=503` | this status, from 200 to 599 |
//! | `header=name:value` | one more header; may be repeated |
//! | `trailer=name:value` | one trailer, over HTTP/1.1 only for a request with `TE: trailers` |
//! | `bytes=1000000` | a body of that many bytes, as in [`sample`], with `Content-Length` |
//! | `chunked=true` | the length of the body is not announced |
//! | `close=true` | `Connection: close` |
//! | `sse=5` | five events, each in a chunk of its own; `Accept: text/event-stream` alone asks for events without end |
//! | `every=20ms` | the time between two events, one second if not given |
//!
//! `GET` with `Upgrade: websocket`, or `CONNECT` with the protocol `websocket` over HTTP/2 (RFC
//! 8441), starts a WebSocket that sends each message back. Request bodies
//! are read as they come and never kept whole. It adds no trailer fields, interim answers or
//! faults that nobody asked for; for faults there is [`raw`](crate::raw).
//!
//! ```
//! use portway_testkit::{Client, Echo};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let echo = Echo::anywhere().await?.named("accounts").spawn();
//!
//! let response = Client::h1(echo.addr()).get("/account/7?status=201").await?;
//! assert_eq!(response.status, 201);
//! let answer = response.answer()?;
//! assert_eq!(answer.name.as_deref(), Some("accounts"));
//! assert_eq!(answer.path, "/account/7");
//! assert_eq!(echo.requests(), 1);
//! # Ok(())
//! # }
//! ```

mod answer;
mod checksum;
mod listener;
mod payload;
mod respond;
mod server;
mod switches;
mod upgrade;

pub use crate::wire::Secured;
pub use answer::{Answer, Received};
pub use checksum::checksum;
pub(crate) use payload::unix_millis;
pub use payload::{Tick, sample};
pub use server::{Echo, RunningEcho};
