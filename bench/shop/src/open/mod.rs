//! An open load: requests begin at their time, whether earlier ones were answered or not, as
//! clients do who know nothing of each other. What a gateway cannot keep up with becomes
//! connections that wait, until there are as many as there may be; then requests are dropped, and
//! counted.
//!
//! It does what k6 does with `constant-arrival-rate` and `ramping-arrival-rate`, for a twentieth of
//! the processor time (5 µs for a request when busy, beside 100 µs): on two cores the load shares
//! one with the upstreams, and whatever it spends is load that the gateway never gets.

mod exchange;
mod pace;
mod route;
mod run;
mod seen;

pub use pace::Pace;
pub use route::Route;
pub use run::{Order, run};
pub use seen::Seen;
