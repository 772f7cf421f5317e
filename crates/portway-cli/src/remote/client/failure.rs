//! Why there is no answer that could be used.

use std::fmt;

use http::StatusCode;
use portway::config::{CODES, Place, Problem};
use serde::Deserialize;

use super::Answer;
use crate::remote::connect::settings::Address;

/// Why there is no answer that could be used.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody answers there.
    Unreachable {
        /// Where.
        admin: String,
        /// Why.
        cause: String,
    },
    /// The gateway will not.
    Refused(Box<Refusal>),
    /// Something answers that is no admin API.
    Foreign(String),
    /// Something here is wrong.
    Local(String),
}

/// What the gateway says when it will not (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) code: String,
    pub(crate) problems: Vec<Said>,
}

/// A problem as it comes over the wire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    code: String,
    pub(crate) path: String,
    message: String,
    hint: Option<String>,
    place: Option<SaidPlace>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SaidPlace {
    file: String,
    line: u32,
    column: u32,
}

impl Said {
    /// As those of `portway check`, so that it looks the same.
    pub(crate) fn problem(self) -> Problem {
        let known = CODES.iter().map(|(code, _)| *code).find(|code| *code == self.code);
        // A gateway that is newer knows others. They are few, and the process ends soon.
        let code = known.unwrap_or_else(|| String::leak(self.code));
        let place = self.place.map(|SaidPlace { file, line, column }| Place { file, line, column });
        let mut problem = Problem::new(code, self.message).at(self.path);
        problem.hint = self.hint.map(Into::into);
        Problem { place, ..problem }
    }
}

impl Failure {
    pub(super) fn unreachable(admin: &Address, cause: &str) -> Self {
        Self::Unreachable { admin: admin.url(), cause: cause.to_owned() }
    }

    pub(super) fn cut(cause: &str) -> Self {
        Self::Foreign(format!("the answer was not finished: {cause}"))
    }

    pub(super) fn foreign(admin: &Address, status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let line: String = line.chars().filter(|c| !c.is_control()).take(100).collect();
        let url = admin.url();
        Self::Foreign(format!("{url} answers {status}, and not as an admin API does: {line:?}"))
    }

    pub(super) fn of(admin: &Address, status: StatusCode, problem: bool, answer: &Answer) -> Self {
        let Ok(mut refusal) = serde_json::from_slice::<Refusal>(&answer.body) else {
            return Self::foreign(admin, status, &answer.body);
        };
        if !problem && refusal.code.is_empty() && refusal.title.is_empty() {
            return Self::foreign(admin, status, &answer.body);
        }
        refusal.status = status.as_u16();
        Self::Refused(Box::new(refusal))
    }

    /// Whether it is a refusal with this status.
    pub(crate) fn has_status(&self, status: StatusCode) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status.as_u16())
    }
}

impl Refusal {
    /// What is wrong, one by one.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.problems.iter().cloned().map(Said::problem).collect()
    }

    /// What can be done about it, where that is not said already.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match (self.status, self.code.as_str()) {
            (401, _) => Some("say who you are with --token-file, PORTWAY_TOKEN or --auth"),
            (403, _) => Some("another token or role is needed; `portway token list` tells which"),
            (412, _) => Some("somebody else changed it meanwhile: look at it again"),
            (409, "owned_elsewhere") => Some("change it there"),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = if self.detail.is_empty() { &self.title } else { &self.detail };
        // What comes over the wire does not move a cursor.
        let clean = |text: &str| text.replace(|c: char| c.is_control() && c != '\n', " ");
        let said = clean(said);
        match (said.as_str(), self.code.as_str()) {
            ("", "") => write!(f, "refused with status {}", self.status),
            (said, "") => write!(f, "{said} ({})", self.status),
            ("", code) => write!(f, "{} ({})", clean(code), self.status),
            (said, code) => write!(f, "{said} ({} {})", self.status, clean(code)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { admin, cause } => write!(f, "cannot ask {admin}: {cause}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Foreign(text) | Self::Local(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}
