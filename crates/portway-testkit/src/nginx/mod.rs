//! A real nginx as an upstream.
//!
//! It runs as one process in the foreground, from a temporary directory that holds its
//! configuration, its files and its logs, on a loopback port. It sends files with `sendfile`,
//! keeps connections alive, and answers `/ok` without touching a file. Nothing of the machine's
//! own nginx configuration is read or written. Where nginx is not installed, starting it fails
//! with [`NotFound`](std::io::ErrorKind::NotFound) and an error that says what to install.
//!
//! ```
//! use portway_testkit::{Client, Nginx};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let nginx = match Nginx::new().file("big.bin", 1_000_000).start().await {
//!     Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
//!     nginx => nginx?,
//! };
//! let response = Client::h1(nginx.addr()).get("/big.bin").await?;
//! assert_eq!(response.body.len(), 1_000_000);
//! # Ok(())
//! # }
//! ```

mod config;
mod server;

pub use server::{Nginx, RunningNginx};
