//! The benchmark that `ApiGate` publishes, rebuilt: a shop with four routes behind a gateway.
//!
//! | route | what the gateway does | what comes back |
//! |---|---|---|
//! | `GET /items` | nothing | seven products |
//! | `GET /my-items` | asks the auth service who it is, tells the data service by header fields | an empty list |
//! | `POST /items/search` | sees to it that the body is what it should be | two products |
//! | `POST /items/lookup` | puts another body in its place | one product |
//!
//! [`upstream`] is the two services behind the gateway, [`gateway`] is Portway's program, and
//! [`open`] is who asks, at a pace that does not wait for answers. The program on the crate
//! `apigate` is among `bench/peers/rust`. `cargo xtask bench apigate` runs all of it.

pub mod gateway;
pub mod open;
pub mod upstream;
