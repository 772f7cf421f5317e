//! `basic-auth`: who has a user's password is let in (RFC 7617).
//!
//! Passwords are hashed off the threads that serve requests, by few of them, and a pair that was
//! right is remembered for a while under a key that only this process knows. It never tells a user
//! that does not exist from a wrong password, neither in words nor by the time it takes.

mod plugin;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::BasicAuth;
pub use spec::BasicAuthSpec;
