//! An executable as a child process, for tests from end to end.
//!
//! [`Process`] starts it, keeps each line it prints, sends it signals, waits for its end, and
//! looks at it from outside: memory, open files, listening sockets. It is killed on drop, by its
//! own id. Looking from outside reads `/proc`, so it works on Linux only.
//!
//! ```
//! use portway_testkit::process::{Process, Signal};
//! use std::time::Duration;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let script = "echo ready; trap 'echo bye >&2; exit 3' TERM; while :; do sleep 0.01; done";
//! let mut process = Process::start("sh", &["-c", script], &[])?;
//! process.wait_for_line(|line| line == "ready").await?;
//! assert!(process.listening()?.is_empty(), "a shell opens no port");
//!
//! process.signal(Signal::TERM)?;
//! let status = process.wait_exit(Duration::from_secs(10)).await?;
//! assert_eq!(status.code(), Some(3));
//! assert_eq!(process.stderr(), ["bye"]);
//! # Ok(())
//! # }
//! ```

mod child;
mod output;
mod outside;
mod ports;

pub use child::Process;
pub use ports::{free_addr, free_port};
pub use rustix::process::Signal;
pub use tokio::process::Command;
