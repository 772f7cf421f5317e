//! A DNS server whose answers a test can change.
//!
//! It listens on a loopback UDP port and is the authority for every name: what was set is
//! answered with A and AAAA records, anything else does not exist. It can also fail, or say
//! nothing, and it counts what it was asked. It has no other record types, no TCP, and asks
//! nobody.
//!
//! ```
//! use portway_testkit::NameServer;
//! use std::time::Duration;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let dns = NameServer::start().await?;
//! dns.set("accounts.test", &["127.0.0.1".parse().unwrap()], Duration::from_secs(1));
//! println!("point a resolver at {}", dns.addr());
//! assert_eq!(dns.queries(), 0);
//! # Ok(())
//! # }
//! ```

mod server;
mod zone;

pub use server::NameServer;
