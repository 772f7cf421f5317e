//! Every metric there is: one table, from which the scrape takes names and help and the reference
//! is written.

use std::fmt::Write;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One metric. The name of a counter ends in `_total`.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

impl Kind {
    /// The word in a `TYPE` line.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Declares the metrics and [`FAMILIES`], the list of all, in one go.
macro_rules! families {
    ($($id:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)+) => {
        $(pub(super) static $id: Family = Family {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        };)+

        /// Every metric, in the order of a scrape.
        pub(super) static FAMILIES: &[&Family] = &[$(&$id),+];
    };
}

families! {
    REQUESTS: Counter "portway_requests_total" ["route", "service", "method", "status"]
        "Requests that are over.";
    REQUEST_DURATION: Histogram "portway_request_duration_seconds" ["route", "service"]
        "Time from a request's head to the last byte of its answer.";
    UPSTREAM_DURATION: Histogram "portway_upstream_duration_seconds" ["route", "service"]
        "Time an upstream took for a request that was forwarded to it.";
    REQUEST_BYTES: Counter "portway_request_bytes_total" ["route", "service"]
        "Bytes of request bodies received from clients.";
    RESPONSE_BYTES: Counter "portway_response_bytes_total" ["route", "service"]
        "Bytes of answer bodies sent to clients.";
    STREAMS_CUT: Counter "portway_streams_cut_total" ["route"]
        "Streams ended because the configuration no longer has their route or their listener.";
    IN_FLIGHT: Gauge "portway_requests_in_flight" []
        "Requests that began and are not over.";
    ERRORS: Counter "portway_errors_total" ["code", "side"]
        "Requests that failed, by the code of the error and whose fault it was.";
    CONNECTIONS: Gauge "portway_connections" ["listener"]
        "Connections of clients that are open.";
    CONNECTIONS_ACCEPTED: Counter "portway_connections_accepted_total" ["listener"]
        "Connections of clients that were accepted.";
    CONNECTIONS_REFUSED: Counter "portway_connections_refused_total" ["listener", "reason"]
        "Connections of clients that were closed before anything was served on them.";
    CERTIFICATE_EXPIRY: Gauge "portway_tls_certificate_not_after_seconds" ["listener", "name"]
        "When a certificate that is shown stops being good, in seconds since 1970.";
    UPSTREAM_CONNECTIONS: Gauge "portway_upstream_connections" ["service"]
        "Connections to the endpoints of a service that are open.";
    UPSTREAM_CONNECTIONS_OPENED: Counter "portway_upstream_connections_opened_total" ["service"]
        "Connections to the endpoints of a service that were opened.";
    RETRIES: Counter "portway_retries_total" ["service"]
        "Requests that were sent to an endpoint once more.";
    PLUGIN_CALLS: Counter "portway_plugin_calls_total" ["plugin", "route", "outcome"]
        "Requests a plugin was called for, by how the call ended.";
    PLUGIN_SECONDS: Counter "portway_plugin_seconds_total" ["plugin", "route"]
        "Time a plugin took itself, without what it sent requests on to.";
    PLUGIN_COUNTS: Counter "portway_plugin_counts_total" ["instance", "name"]
        "What plugins count themselves, by instance.";
    STREAM_CONNECTIONS: Counter "portway_stream_connections_total" ["route", "service", "reason"]
        "Connections (TCP, TLS passed on) and UDP sessions that are over, by how they ended.";
    STREAM_DURATION: Histogram "portway_stream_duration_seconds" ["route", "service"]
        "Time from the beginning of a connection or a UDP session to its end.";
    STREAM_RECEIVED: Counter "portway_stream_received_bytes_total" ["route", "service"]
        "Bytes received from clients on connections and UDP sessions that are over.";
    STREAM_SENT: Counter "portway_stream_sent_bytes_total" ["route", "service"]
        "Bytes sent to clients on connections and UDP sessions that are over.";
    DATAGRAMS_DROPPED: Counter "portway_datagrams_dropped_total" ["listener", "reason"]
        "Datagrams from clients or to them that were dropped.";
    REVISION: Gauge "portway_config_revision" []
        "Number of the configuration that is live; 0 before the first.";
    LAST_RELOAD_SUCCESSFUL: Gauge "portway_config_last_reload_successful" []
        "Whether the last configuration that was loaded was applied (1) or rejected (0).";
    LAST_RELOAD_TIMESTAMP: Gauge "portway_config_last_reload_timestamp_seconds" []
        "When a configuration was last applied, in seconds since 1970; 0 before the first.";
    RELOADS: Counter "portway_config_reloads_total" ["outcome"]
        "Configurations that were loaded, by outcome: applied or rejected.";
    ACCESS_LOG_DROPPED: Counter "portway_access_log_dropped_total" []
        "Records of the access log that were dropped because its output was too slow or failed.";
    LOG_DROPPED: Counter "portway_log_dropped_total" []
        "Lines of the process log that were dropped because its output was too slow or failed.";
    BUILD_INFO: Gauge "portway_build_info" ["version", "commit"]
        "Always 1; the labels say which build is running.";
    RESTGATE_REQUESTS: Counter "restgate_requests_total" ["route", "method", "status"]
        "Requests that are over, under the name RESTGate gave them (probes.restgate_metrics).";
    RESTGATE_DURATION: Histogram "restgate_request_duration_seconds" ["route"]
        "Time a request took, under the name RESTGate gave it (probes.restgate_metrics).";
    PROCESS_CPU: Counter "process_cpu_seconds_total" []
        "CPU time the process used, in user and system mode.";
    PROCESS_START: Gauge "process_start_time_seconds" []
        "When the process was started, in seconds since 1970.";
    PROCESS_RESIDENT: Gauge "process_resident_memory_bytes" []
        "Memory of the process that is in RAM.";
    PROCESS_VIRTUAL: Gauge "process_virtual_memory_bytes" []
        "Address space of the process.";
    PROCESS_OPEN_FDS: Gauge "process_open_fds" []
        "File descriptors the process has open.";
    PROCESS_MAX_FDS: Gauge "process_max_fds" []
        "File descriptors the process may have open.";
}

/// The reference of all metrics as Markdown, generated into `docs/reference/metrics.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         <!-- Written by `cargo xtask generate` from the table in the code. -->\n\n\
         Served at `/metrics` of the probe listener. How to read them is told in \
         [observability](../observability.md).\n\n\
         | metric | type | labels | what it counts |\n|---|---|---|---|\n",
    );
    for Family { name, kind, labels, help } in FAMILIES {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(text, "| `{name}` | {} | {labels} | {help} |", kind.as_str())
            .expect("writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        let mut names = BTreeSet::new();
        for family in FAMILIES {
            let Family { name, kind, labels, help } = family;
            // OpenMetrics names the family of a counter without its suffix: no gauge may have
            // that name.
            let bare = name.strip_suffix("_total").unwrap_or(name);
            assert!(names.insert(bare), "{bare} stands twice");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert_eq!(*kind == Kind::Histogram, name.ends_with("_duration_seconds"), "{name}");
            assert!(help.ends_with('.') && !help.contains(['\n', '\\', '|']), "{name}");
            for word in labels.iter().chain([name]) {
                let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
                assert!(word.bytes().all(plain), "{word}");
                assert!(!["le", "quantile", "path", "client"].contains(word), "{name}: {word}");
            }
        }
    }

    #[test]
    fn the_reference_has_a_row_for_each() {
        let text = reference();
        assert_eq!(text.lines().filter(|line| line.starts_with("| `")).count(), FAMILIES.len());
        assert!(text.contains(
            "| `portway_requests_total` | counter | `route`, `service`, `method`, `status` | "
        ));
        assert!(text.ends_with("|\n"));
    }
}
