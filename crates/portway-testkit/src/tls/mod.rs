//! Certificates made on the spot, and what servers and clients of this crate need to speak TLS.
//!
//! An [`Authority`] issues an [`Identity`]: a certificate and its key, as PEM. [`Order`] is how to
//! ask for an unusual one: expired, RSA, for a client, signed by itself. [`ServerTls`] and
//! [`ClientTls`] say how to speak TLS, and are handed to the servers and clients of this crate. What a connection
//! has agreed on is told by [`Secured`]. Nothing here touches the system's trust store, and no
//! key outlives the test unless it is written to a file.
//!
//! ```
//! use portway_testkit::{Client, Echo};
//! use portway_testkit::tls::{Authority, ClientTls, ServerTls};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let authority = Authority::new()?;
//! let identity = authority.issue(&["shop.example"])?;
//! let server = ServerTls::new(&identity).alpn(&["h2", "http/1.1"]);
//! let echo = Echo::anywhere().await?.tls(&server)?.spawn();
//!
//! let tls = ClientTls::trusting(&authority).server_name("shop.example").alpn(&["h2"]);
//! let answer = Client::https(echo.addr(), &tls).get("/").await?.answer()?;
//! assert_eq!(answer.protocol, "HTTP/2.0");
//! let secured = answer.tls.expect("it came over TLS");
//! assert_eq!(secured.server_name.as_deref(), Some("shop.example"));
//! # Ok(())
//! # }
//! ```

mod authority;
mod client;
mod der;
mod facts;
mod identity;
mod order;
mod server;
mod version;

pub use authority::Authority;
pub use client::ClientTls;
pub(crate) use facts::secured;
pub use identity::{Files, Identity};
pub use order::{Key, KeyForm, Order};
pub use server::ServerTls;
pub use version::Version;

pub use crate::wire::Secured;
