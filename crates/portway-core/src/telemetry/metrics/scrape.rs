//! Adds up the cores' cells and writes them down.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

use portway_plugin::Side;

use super::{
    catalog,
    core::CoreCells,
    exposition::{Decimal, Exposition},
    form::Form,
    gateway::Metrics,
    histogram::HistogramSum,
    method::METHODS,
    process::Process,
    reasons::{DatagramLoss, PluginOutcome, Refusal, StreamEnd},
    route::RouteCells,
    stream::StreamCells,
};

/// What all cores counted, in the order in which it is written.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) routes: BTreeMap<[Box<str>; 2], RouteTotals>,
    streams: BTreeMap<[Box<str>; 2], StreamTotals>,
    plugins: BTreeMap<[Box<str>; 2], PluginTotals>,
    services: BTreeMap<Box<str>, ConnectionTotals>,
    pub(super) listeners: BTreeMap<Box<str>, ConnectionTotals>,
    /// By listener and reason.
    refusals: BTreeMap<(Box<str>, &'static str), u64>,
    losses: BTreeMap<(Box<str>, &'static str), u64>,
    errors: BTreeMap<(&'static str, &'static str), u64>,
    pub(super) in_flight: i64,
}

#[derive(Default)]
pub(super) struct RouteTotals {
    pub(super) outcomes: Outcomes,
    pub(super) total: HistogramSum,
    upstream: HistogramSum,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    streams_cut: u64,
}

#[derive(Default)]
struct PluginTotals {
    outcomes: [u64; PluginOutcome::ALL.len()],
    nanos: u64,
}

#[derive(Default)]
struct StreamTotals {
    ends: [u64; StreamEnd::ALL.len()],
    total: HistogramSum,
    bytes_in: u64,
    bytes_out: u64,
}

/// By the index of the method and the status.
type Outcomes = BTreeMap<(u8, u16), u64>;

#[derive(Default)]
pub(super) struct ConnectionTotals {
    pub(super) open: i64,
    opened: u64,
    retries: u64,
}

/// The scrape of a gateway with these cores.
pub(super) fn write(metrics: &Metrics, cores: &[Arc<CoreCells>], form: Form) -> String {
    let totals = Totals::of(cores);
    let mut out = Exposition::new(form);
    write_routes(&mut out, &totals);
    write_connections(&mut out, &totals);
    write_plugins(&mut out, metrics, &totals);
    write_streams(&mut out, &totals);
    write_gateway(&mut out, metrics);
    if metrics.restgate.load(Relaxed) {
        write_restgate(&mut out, &totals);
    }
    write_process(&mut out, &Process::read());
    out.finish()
}

impl Totals {
    pub(super) fn of(cores: &[Arc<CoreCells>]) -> Self {
        let mut totals = Self::default();
        cores.iter().for_each(|core| totals.add(core));
        totals
    }

    fn add(&mut self, core: &CoreCells) {
        self.in_flight += core.in_flight.load(Relaxed);
        for (names, cells) in core.routes.all() {
            self.routes.entry(names).or_default().add(&cells);
        }
        for (names, cells) in core.streams.all() {
            self.streams.entry(names).or_default().add(&cells);
        }
        for (names, cells) in core.plugins.all() {
            let total = self.plugins.entry(names).or_default();
            cells.outcomes.each(|outcome, count| total.outcomes[outcome] += count);
            total.nanos += cells.nanos.load(Relaxed);
        }
        for ([service], cells) in core.services.all() {
            let total = self.services.entry(service).or_default();
            total.open += cells.open.load(Relaxed);
            total.opened += cells.opened.load(Relaxed);
            total.retries += cells.retries.load(Relaxed);
        }
        for ([listener], cells) in core.listeners.all() {
            cells.refusals.each(|reason, count| {
                let reason = Refusal::ALL[reason].as_str();
                *self.refusals.entry((listener.clone(), reason)).or_default() += count;
            });
            cells.losses.each(|reason, count| {
                let reason = DatagramLoss::ALL[reason].as_str();
                *self.losses.entry((listener.clone(), reason)).or_default() += count;
            });
            let total = self.listeners.entry(listener).or_default();
            total.open += cells.open.load(Relaxed);
            total.opened += cells.opened.load(Relaxed);
        }
        core.errors.each(|code, side: Side, count| {
            *self.errors.entry((code, side.as_str())).or_default() += count;
        });
    }
}

impl RouteTotals {
    fn add(&mut self, cells: &RouteCells) {
        cells.outcomes.each(|method, status, count| {
            *self.outcomes.entry((method, status)).or_default() += count;
        });
        self.total.add(&cells.total);
        self.upstream.add(&cells.upstream);
        self.bytes_in += cells.bytes_in.load(Relaxed);
        self.bytes_out += cells.bytes_out.load(Relaxed);
        self.streams_cut += cells.streams_cut.load(Relaxed);
    }
}

impl StreamTotals {
    fn add(&mut self, cells: &StreamCells) {
        cells.ends.each(|end, count| self.ends[end] += count);
        self.total.add(&cells.total);
        self.bytes_in += cells.bytes_in.load(Relaxed);
        self.bytes_out += cells.bytes_out.load(Relaxed);
    }
}

fn write_routes(out: &mut Exposition, totals: &Totals) {
    let mut family = out.family(&catalog::REQUESTS);
    for ([route, service], total) in &totals.routes {
        for ((method, status), count) in &total.outcomes {
            let method = METHODS[usize::from(*method)];
            family.sample(&[route, service, method, &status_label(*status)], count);
        }
    }
    let mut family = out.family(&catalog::REQUEST_DURATION);
    for ([route, service], total) in &totals.routes {
        family.histogram(&[route, service], &total.total);
    }
    let mut family = out.family(&catalog::UPSTREAM_DURATION);
    for ([route, service], total) in &totals.routes {
        // A route that forwards nothing has no row here.
        if total.upstream.count() > 0 {
            family.histogram(&[route, service], &total.upstream);
        }
    }
    let mut family = out.family(&catalog::REQUEST_BYTES);
    for ([route, service], total) in &totals.routes {
        family.sample(&[route, service], total.bytes_in);
    }
    let mut family = out.family(&catalog::RESPONSE_BYTES);
    for ([route, service], total) in &totals.routes {
        family.sample(&[route, service], total.bytes_out);
    }
    let mut family = out.family(&catalog::STREAMS_CUT);
    for (route, total) in by_route(totals, |sum: &mut u64, total| *sum += total.streams_cut) {
        family.sample(&[route], total);
    }
    out.family(&catalog::IN_FLIGHT).sample(&[], totals.in_flight);
    let mut family = out.family(&catalog::ERRORS);
    for ((code, side), count) in &totals.errors {
        family.sample(&[code, side], count);
    }
}

fn write_connections(out: &mut Exposition, totals: &Totals) {
    let mut family = out.family(&catalog::CONNECTIONS);
    for (listener, total) in &totals.listeners {
        family.sample(&[listener], total.open);
    }
    let mut family = out.family(&catalog::CONNECTIONS_ACCEPTED);
    for (listener, total) in &totals.listeners {
        family.sample(&[listener], total.opened);
    }
    let mut family = out.family(&catalog::CONNECTIONS_REFUSED);
    for ((listener, reason), count) in &totals.refusals {
        family.sample(&[listener, reason], count);
    }
    let mut family = out.family(&catalog::UPSTREAM_CONNECTIONS);
    for (service, total) in &totals.services {
        family.sample(&[service], total.open);
    }
    let mut family = out.family(&catalog::UPSTREAM_CONNECTIONS_OPENED);
    for (service, total) in &totals.services {
        family.sample(&[service], total.opened);
    }
    let mut family = out.family(&catalog::RETRIES);
    for (service, total) in &totals.services {
        family.sample(&[service], total.retries);
    }
}

fn write_plugins(out: &mut Exposition, metrics: &Metrics, totals: &Totals) {
    let mut family = out.family(&catalog::PLUGIN_CALLS);
    for ([plugin, route], total) in &totals.plugins {
        let outcomes = PluginOutcome::ALL.iter().zip(&total.outcomes);
        for (outcome, count) in outcomes.filter(|(_, count)| **count > 0) {
            family.sample(&[plugin, route, outcome.as_str()], count);
        }
    }
    let mut family = out.family(&catalog::PLUGIN_SECONDS);
    for ([plugin, route], total) in &totals.plugins {
        family.sample(&[plugin, route], Decimal::<9>(total.nanos));
    }
    let mut family = out.family(&catalog::PLUGIN_COUNTS);
    let counters = metrics.plugin_counters.lock().unwrap_or_else(PoisonError::into_inner);
    for ((instance, name), counter) in &*counters {
        family.sample(&[instance, name], counter.get());
    }
}

fn write_streams(out: &mut Exposition, totals: &Totals) {
    let mut family = out.family(&catalog::STREAM_CONNECTIONS);
    for ([route, service], total) in &totals.streams {
        for (end, count) in StreamEnd::ALL.iter().zip(&total.ends).filter(|(_, count)| **count > 0)
        {
            family.sample(&[route, service, end.as_str()], count);
        }
    }
    let mut family = out.family(&catalog::STREAM_DURATION);
    for ([route, service], total) in &totals.streams {
        family.histogram(&[route, service], &total.total);
    }
    let mut family = out.family(&catalog::STREAM_RECEIVED);
    for ([route, service], total) in &totals.streams {
        family.sample(&[route, service], total.bytes_in);
    }
    let mut family = out.family(&catalog::STREAM_SENT);
    for ([route, service], total) in &totals.streams {
        family.sample(&[route, service], total.bytes_out);
    }
    let mut family = out.family(&catalog::DATAGRAMS_DROPPED);
    for ((listener, reason), count) in &totals.losses {
        family.sample(&[listener, reason], count);
    }
}

fn write_gateway(out: &mut Exposition, metrics: &Metrics) {
    out.family(&catalog::REVISION).sample(&[], metrics.revision.load(Relaxed));
    let applied = u8::from(metrics.last_reload_applied.load(Relaxed));
    out.family(&catalog::LAST_RELOAD_SUCCESSFUL).sample(&[], applied);
    let certificates = metrics.certificates.lock().unwrap_or_else(PoisonError::into_inner);
    let mut family = out.family(&catalog::CERTIFICATE_EXPIRY);
    for (listener, name, not_after) in &*certificates {
        family.sample(&[listener, name], *not_after);
    }
    drop(certificates);
    let at = Decimal::<3>(metrics.applied_at.load(Relaxed));
    out.family(&catalog::LAST_RELOAD_TIMESTAMP).sample(&[], at);
    let mut family = out.family(&catalog::RELOADS);
    family.sample(&["applied"], metrics.applied.load(Relaxed));
    family.sample(&["rejected"], metrics.rejected.load(Relaxed));
    let dropped = metrics.access_log_dropped.load(Relaxed);
    out.family(&catalog::ACCESS_LOG_DROPPED).sample(&[], dropped);
    let dropped = metrics.log_dropped.get().map_or(0, |counter| counter.load(Relaxed));
    out.family(&catalog::LOG_DROPPED).sample(&[], dropped);
    let build = metrics.build();
    out.family(&catalog::BUILD_INFO).sample(&[build.version, build.commit], 1);
}

fn write_restgate(out: &mut Exposition, totals: &Totals) {
    let outcomes = by_route(totals, |sum: &mut Outcomes, total| {
        for (pair, count) in &total.outcomes {
            *sum.entry(*pair).or_default() += count;
        }
    });
    let mut family = out.family(&catalog::RESTGATE_REQUESTS);
    for (route, outcomes) in outcomes {
        for ((method, status), count) in outcomes {
            let method = METHODS[usize::from(method)];
            family.sample(&[route, method, &status_label(status)], count);
        }
    }
    let durations = by_route(totals, |sum: &mut HistogramSum, total| sum.merge(&total.total));
    let mut family = out.family(&catalog::RESTGATE_DURATION);
    for (route, sum) in durations {
        family.histogram(&[route], &sum);
    }
}

fn write_process(out: &mut Exposition, process: &Process) {
    if let Some(hundredths) = process.cpu_hundredths {
        out.family(&catalog::PROCESS_CPU).sample(&[], Decimal::<2>(hundredths));
    }
    if let Some(hundredths) = process.started_hundredths {
        out.family(&catalog::PROCESS_START).sample(&[], Decimal::<2>(hundredths));
    }
    for (family, value) in [
        (&catalog::PROCESS_RESIDENT, process.resident_bytes),
        (&catalog::PROCESS_VIRTUAL, process.virtual_bytes),
        (&catalog::PROCESS_OPEN_FDS, process.open_fds),
        (&catalog::PROCESS_MAX_FDS, process.max_fds),
    ] {
        if let Some(value) = value {
            out.family(family).sample(&[], value);
        }
    }
}

/// Adds up a route's services: a metric without that label has one row for the route.
fn by_route<T: Default>(
    totals: &Totals,
    mut add: impl FnMut(&mut T, &RouteTotals),
) -> BTreeMap<&str, T> {
    let mut sums = BTreeMap::new();
    for ([route, _], total) in &totals.routes {
        add(sums.entry(&**route).or_default(), total);
    }
    sums
}

/// The label of a status; what stands for the pairs beyond the cap has none of its own.
fn status_label(status: u16) -> String {
    if status == 0 { "other".to_owned() } else { status.to_string() }
}
