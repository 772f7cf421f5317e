//! Clients, from byte-exact to well-behaved.
//!
//! | client | for |
//! |---|---|
//! | [`RawClient`] | bytes as the test wrote them, answers as they stood on the wire |
//! | [`Client`] | proper HTTP/1.1 with keep-alive, or HTTP/2, in the clear or over TLS |
//! | [`WebSocket`] | messages, pings and closes over a WebSocket |
//! | [`websocket_cases`] | right and wrong frames of WebSocket, and what a server did with them |
//! | [`EventStream`] | Server-Sent Events, each with the time of its arrival |
//!
//! Each of them holds at most one connection, follows no redirect, and keeps no cookies. Every
//! operation ends after [`DEADLINE`](crate::DEADLINE) unless a longer one was set.
//!
//! ```
//! use portway_testkit::{Client, Echo, EventStream, RawClient, WebSocket};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let echo = Echo::start().await?;
//!
//! let mut raw = RawClient::connect(echo.addr()).await?;
//! let response = raw.exchange("GET /?status=404 HTTP/1.1\r\nHost: a\r\n\r\n").await?;
//! assert_eq!((response.status, response.reason.as_str()), (404, "Not Found"));
//!
//! let answer = Client::h2c(echo.addr()).get("/a").await?.answer()?;
//! assert_eq!(answer.protocol, "HTTP/2.0");
//!
//! let mut socket = WebSocket::connect(echo.addr(), "/chat").await?;
//! assert_eq!(socket.exchange("hello").await?, "hello");
//!
//! let mut events = EventStream::open(echo.addr(), "/?sse=1").await?;
//! let event = events.next().await?.expect("one event was asked for");
//! assert!(event.delay()?.as_millis() < 1000);
//! assert!(events.next().await?.is_none());
//! # Ok(())
//! # }
//! ```

mod events;
mod http_client;
mod raw;
mod raw_response;
mod response;
mod websocket;
mod websocket_cases;

pub use events::{Event, EventStream};
pub use http_client::Client;
pub use raw::{Closed, RawClient};
pub use raw_response::{RawHead, RawResponse};
pub use response::Response;
pub use websocket::{Message, WebSocket};
pub use websocket_cases::{WebSocketCase, WebSocketVerdict, websocket_cases};

pub use crate::wire::{Fields, Framing};
