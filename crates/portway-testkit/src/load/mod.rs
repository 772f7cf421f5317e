//! Many connections that go on asking until they are told to stop.
//!
//! For correctness under load: what happens to requests while a configuration is reloaded or a
//! server drains. Each connection is a well-behaved keep-alive client that asks one request after
//! the other; the [`Tally`] says how many were answered as expected, how the others failed, and
//! how many connections had to be made again. It measures no time: it is not a benchmark.
//!
//! ```
//! use portway_testkit::{Echo, Load};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let echo = Echo::start().await?;
//! let load = Load::on(echo.addr()).connections(4).start();
//! load.wait_for(100).await?;
//! let tally = load.stop().await?;
//!
//! assert!(tally.ok >= 100);
//! assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
//! # Ok(())
//! # }
//! ```

mod generator;
mod tally;

pub use generator::{Load, RunningLoad};
pub use tally::Tally;
