//! HTTP/2 frame by frame, right or wrong, for both sides.
//!
//! A [`FrameConnection`] writes any [`Frame`] and reads those of the peer, over TCP or TLS: as a
//! client for abuse that no library would send, and as an upstream inside the script of a
//! [`RawUpstream`](crate::RawUpstream). The room [`script`] has what upstreams commonly do ready.
//! [`fields`] writes a block of fields without compression. It keeps no state of streams, checks
//! nothing, and decodes no fields of the peer but the status; for proper requests there is
//! [`Client`](crate::Client).
//!
//! ```
//! use portway_testkit::Echo;
//! use portway_testkit::frames::{Frame, FrameConnection, code, request};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let echo = Echo::start().await?;
//! let mut connection = FrameConnection::connect(echo.addr()).await?;
//! connection.open(&[]).await?;
//! let block = request("GET", "http://a.example/?status=404", &[]);
//! connection.send(&Frame::headers(1, block).end()).await?;
//! assert_eq!(connection.answer(1).await?.statuses, [404]);
//!
//! // Streams of a client have odd numbers.
//! connection.send(&Frame::headers(2, request("GET", "http://a.example/", &[])).end()).await?;
//! assert_eq!(connection.wait_for_end().await?, Some(code::PROTOCOL_ERROR));
//! # Ok(())
//! # }
//! ```

mod connection;
mod fields;
mod frame;
pub mod script;

pub use connection::{FrameConnection, StreamAnswer};
pub use fields::{fields, request, response, status};
pub use frame::{Frame, PREFACE, code, flag, kind, setting};
