//! What a configuration says about maintenance.

use portway_plugin::value::{Cidr, Duration, ErrorStatus, TimeOfDay, UtcOffset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Answers that a service is being worked on:
///
/// ```yaml
/// maintenance: {hours: [{from: "22:00", to: "06:00"}], exclude: [10.0.0.0/8]}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct MaintenanceSpec {
    /// When. Without any, always.
    #[serde(default)]
    pub hours: Vec<Hours>,
    /// How far the clock of `hours` is ahead of UTC: `+08:00`. Default `+00:00`.
    #[serde(default)]
    pub utc_offset: UtcOffset,
    /// Addresses whose requests are served all the same.
    #[serde(default)]
    pub exclude: Vec<Cidr>,
    /// The status, 400 to 599. Default 503.
    #[serde(default = "unavailable")]
    pub status: ErrorStatus,
    /// The title of the page for browsers. Default `Maintenance`.
    #[serde(default = "title")]
    pub title: String,
    /// What is told, on the page and in errors.
    #[serde(default = "message")]
    pub message: String,
    /// Sends clients elsewhere with 307 instead: an `http` or `https` URL, or a path. Requests for
    /// that path itself are served.
    #[serde(default)]
    pub redirect: Option<String>,
    /// When to come back, where there are no `hours` to tell. Without it, nothing is said. With
    /// `hours`, clients are told to come back at the end of them.
    #[serde(default)]
    pub retry_after: Duration,
}

/// Hours of the day, over midnight where they end before they begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hours {
    /// When they begin: `22:00`.
    pub from: TimeOfDay,
    /// When they end, which is no longer part of them: `06:00`, or `24:00` for midnight.
    pub to: TimeOfDay,
    /// The days on which they begin. Without any, every day.
    #[serde(default)]
    pub days: Vec<Weekday>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

fn unavailable() -> ErrorStatus {
    ErrorStatus::SERVICE_UNAVAILABLE
}

fn title() -> String {
    "Maintenance".to_owned()
}

fn message() -> String {
    "This service is being worked on. Please try again later.".to_owned()
}
