//! Whether traffic may come, and if not, why.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use portway_plugin::Problem;
use serde_json::{Value, json};

use crate::telemetry::rfc3339;

/// How many problems of a rejected configuration are shown.
const SHOWN: usize = 20;

/// What readiness is judged by: every listener bound, a configuration live, no draining. Control
/// work writes it, the probe reads it; the request path does neither.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bound: usize,
    wanted: usize,
    revision: Option<u64>,
    draining: bool,
    last_reload: Option<Reload>,
}

#[derive(Debug)]
struct Reload {
    time: SystemTime,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Applied,
    Rejected { count: usize, problems: Vec<Value> },
}

impl Readiness {
    /// Not ready: nothing is bound, nothing is configured.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many listeners are bound, of how many the configuration names.
    pub fn set_bound(&self, bound: usize, wanted: usize) {
        let mut state = self.state();
        (state.bound, state.wanted) = (bound, wanted);
    }

    /// A configuration went live.
    pub fn configured(&self, revision: u64) {
        let mut state = self.state();
        state.revision = Some(revision);
        state.last_reload = Some(Reload { time: SystemTime::now(), outcome: Outcome::Applied });
    }

    /// A configuration was rejected; what is live stays live, and readiness what it was.
    pub fn rejected(&self, problems: &[Problem]) {
        let outcome = Outcome::Rejected {
            count: problems.len(),
            problems: problems.iter().take(SHOWN).map(shown).collect(),
        };
        self.state().last_reload = Some(Reload { time: SystemTime::now(), outcome });
    }

    /// The process is about to end. There is no way back.
    pub fn draining(&self) {
        self.state().draining = true;
    }

    /// Whether traffic may come.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state().reasons().is_empty()
    }

    /// The answer to `/readyz`: whether it is ready, and why.
    pub(super) fn report(&self) -> (bool, Value) {
        let state = self.state();
        let reasons = state.reasons();
        let is_ready = reasons.is_empty();
        let report = json!({
            "ready": is_ready,
            "reasons": reasons,
            "revision": state.revision,
            "last_reload": state.last_reload.as_ref().map(Reload::report),
        });
        (is_ready, report)
    }

    /// Every change leaves the state whole, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.revision.is_none() {
            reasons.push("no configuration is live".to_owned());
        }
        let Self { bound, wanted, .. } = self;
        if bound < wanted {
            reasons.push(format!("{bound} of {wanted} listeners are bound"));
        }
        if self.draining {
            reasons.push("draining".to_owned());
        }
        reasons
    }
}

impl Reload {
    fn report(&self) -> Value {
        let time = rfc3339(self.time);
        match &self.outcome {
            Outcome::Applied => json!({ "outcome": "applied", "time": time }),
            Outcome::Rejected { count, problems } => json!({
                "outcome": "rejected",
                "time": time,
                "problem_count": count,
                "problems": problems,
            }),
        }
    }
}

/// What anybody may know of a problem: its code and where it is. Its message quotes the
/// configuration, and a value there may be a password; the message is in the log.
fn shown(problem: &Problem) -> Value {
    let mut shown = json!({ "code": problem.code });
    if !problem.path.is_empty() {
        shown["path"] = problem.path.as_str().into();
    }
    if let Some(place) = &problem.place {
        let file = Path::new(&place.file).file_name().map(|name| name.to_string_lossy());
        shown["file"] = file.into();
        shown["line"] = place.line.into();
        shown["column"] = place.column.into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use portway_plugin::Place;

    use super::*;

    #[test]
    fn ready_is_bound_and_configured_and_not_draining() {
        let readiness = Readiness::new();
        assert_eq!(readiness.report().1["reasons"], json!(["no configuration is live"]));
        readiness.set_bound(1, 2);
        let reasons = json!(["no configuration is live", "1 of 2 listeners are bound"]);
        assert_eq!(readiness.report().1["reasons"], reasons);
        readiness.configured(1);
        assert!(!readiness.is_ready());
        readiness.set_bound(2, 2);
        assert!(readiness.is_ready());
        readiness.draining();
        readiness.configured(2);
        let (is_ready, report) = readiness.report();
        assert!(!is_ready);
        assert_eq!(report["reasons"], json!(["draining"]));
        assert_eq!(report["revision"], 2);
    }

    #[test]
    fn a_rejected_reload_tells_where_and_not_what() {
        let readiness = Readiness::new();
        readiness.configured(7);
        let mut problem = Problem::new("invalid_url", "\"http://u:s3cret@h/\" has a password")
            .at("services[0].url")
            .hint("remove s3cret");
        problem.place =
            Some(Place { file: "/etc/portway/portway.yaml".into(), line: 7, column: 10 });
        let problems = vec![problem; 30];
        readiness.rejected(&problems);
        let (is_ready, report) = readiness.report();
        assert!(is_ready, "what is live stays live");
        assert_eq!(report["revision"], 7);
        let reload = &report["last_reload"];
        assert_eq!(
            (&reload["outcome"], &reload["problem_count"]),
            (&json!("rejected"), &json!(30))
        );
        assert_eq!(reload["problems"].as_array().unwrap().len(), SHOWN);
        let expected = json!({
            "code": "invalid_url",
            "path": "services[0].url",
            "file": "portway.yaml",
            "line": 7,
            "column": 10,
        });
        assert_eq!(reload["problems"][0], expected);
        assert!(!report.to_string().contains("s3cret"));
        readiness.configured(8);
        assert_eq!(readiness.report().1["last_reload"]["outcome"], "applied");
    }
}
