//! `maintenance`: answers that a service is being worked on, always or at certain hours.
//!
//! Browsers get a page, everybody else the gateway's error in the form they accept; both are told
//! when to come back. Hours are those of a fixed offset from UTC: nothing here knows of time zones
//! and of the hour that some of them skip.

mod accept;
mod error;
mod plugin;
mod schedule;
mod spec;
#[cfg(test)]
mod tests;

pub use plugin::Maintenance;
pub use spec::{Hours, MaintenanceSpec, Weekday};
