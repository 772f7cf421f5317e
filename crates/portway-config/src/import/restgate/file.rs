//! RESTGate's file as its documentation describes it.

use std::str::FromStr;

use portway_plugin::value::{Duration, Format, InvalidValue, Method, Quoted, ServiceUrl};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    duration::{self, GoDuration},
    pattern::{self, Pattern},
};
use crate::resource::{LogFormat, LogLevel};

/// The formats that are its own.
pub(super) const FORMATS: &[Format] = &[duration::FORMAT, pattern::FORMAT, LEVEL, METHODS, LABEL];

/// The document.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct File {
    #[schemars(range(min = 1))]
    pub(super) port: u16,
    #[schemars(range(min = 1))]
    pub(super) admin_port: u16,
    pub(super) log_level: Level,
    pub(super) log_format: LogFormat,
    pub(super) read_header_timeout: GoDuration,
    pub(super) read_timeout: GoDuration,
    pub(super) write_timeout: GoDuration,
    pub(super) idle_timeout: GoDuration,
    pub(super) shutdown_timeout: GoDuration,
    pub(super) response_header_timeout: GoDuration,
    pub(super) observed_services: Vec<ObservedService>,
}

impl Default for File {
    fn default() -> Self {
        let seconds = |seconds| GoDuration(Duration::from_secs(seconds));
        Self {
            port: 7000,
            admin_port: 9000,
            log_level: Level(LogLevel::Info),
            log_format: LogFormat::Text,
            read_header_timeout: seconds(10),
            read_timeout: seconds(0),
            write_timeout: seconds(0),
            idle_timeout: seconds(120),
            shutdown_timeout: seconds(15),
            response_header_timeout: seconds(0),
            observed_services: Vec::new(),
        }
    }
}

/// A service: a label and a URL.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ObservedService {
    pub(super) name: Option<String>,
    pub(super) service_url: ServiceUrl,
    #[serde(default)]
    #[expect(dead_code, reason = "the schema needs it; routes are read one by one")]
    pub(super) routes: Vec<ObservedRoute>,
}

/// A route: what may pass to the service.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ObservedRoute {
    #[schemars(extend("format" = LABEL.name))]
    pub(super) name: String,
    pub(super) methods: Methods,
    pub(super) pattern: Pattern,
    pub(super) description: Option<String>,
}

/// A route's name is free text, but there is one.
const LABEL: Format = Format {
    name: "restgate-label",
    noun: "a name",
    examples: &["get-account"],
    check: |text| match text.trim() {
        "" => Err(InvalidValue::new("the name is empty")),
        _ => Ok(()),
    },
};

/// The level of the log, in any case.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("format" = LEVEL.name))]
pub(super) struct Level(pub(super) LogLevel);

const LEVEL: Format = Format {
    name: "restgate-log-level",
    noun: "a log level",
    examples: &["info"],
    check: |text| text.parse::<Level>().map(drop),
};

impl FromStr for Level {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Ok(Self(match text.to_ascii_lowercase().as_str() {
            "trace" => LogLevel::Trace,
            "debug" => LogLevel::Debug,
            "info" => LogLevel::Info,
            "warn" | "warning" => LogLevel::Warn,
            "error" => LogLevel::Error,
            _ => {
                let message = format!("{} is not a log level", Quoted(text));
                let hint = "write trace, debug, info, warn or error";
                return Err(InvalidValue::new(message).hint(hint).code("unknown_value"));
            }
        }))
    }
}

impl TryFrom<String> for Level {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

/// Methods in one text, separated by commas. Spaces around them and their case do not count.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("format" = METHODS.name))]
pub(super) struct Methods(pub(super) Vec<Method>);

const METHODS: Format = Format {
    name: "restgate-methods",
    noun: "methods",
    examples: &["GET, POST"],
    check: |text| text.parse::<Methods>().map(drop),
};

impl FromStr for Methods {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let mut methods = words
            .map(|word| word.to_ascii_uppercase().parse())
            .collect::<Result<Vec<Method>, _>>()
            .map_err(|invalid| match invalid.hint {
                // There is no such thing as a route without methods there.
                Some(_) => InvalidValue { hint: Some("write GET, POST".into()), ..invalid },
                None => invalid,
            })?;
        if methods.is_empty() {
            return Err(InvalidValue::new("the route lists no method").hint("write GET, POST"));
        }
        methods.sort_unstable();
        methods.dedup();
        Ok(Self(methods))
    }
}

impl TryFrom<String> for Methods {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_trimmed() {
        let methods = |text: &str| {
            let methods = text.parse::<Methods>().map_err(|invalid| invalid.to_string())?;
            Ok(methods.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(methods("GET, POST"), Ok("GET POST".to_owned()));
        assert_eq!(methods(" post ,get,GET,"), Ok("GET POST".to_owned()));
        assert_eq!(methods(" , "), Err("the route lists no method (write GET, POST)".to_owned()));
        assert_eq!(methods("GE T"), Err("\"GE T\" is not a method (write GET, POST)".to_owned()));
    }
}
