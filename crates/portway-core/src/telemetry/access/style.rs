//! How records look, and the parts both looks share.

use std::{
    io::Write,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use portway_config::LogFormat;

use super::{json, logfmt, record::Record, stream::StreamRecord};
use crate::telemetry::clock::Clock;

/// A format with what it keeps between records.
#[derive(Clone, Debug)]
pub(super) struct Style {
    format: LogFormat,
    clock: Clock,
}

impl Style {
    pub(super) fn new(format: LogFormat) -> Self {
        Self { format, clock: Clock::new() }
    }

    /// Appends a record as one line.
    #[inline]
    pub(super) fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        match self.format {
            LogFormat::Json => json::push(record, &mut self.clock, out),
            LogFormat::Text => logfmt::push(record, &mut self.clock, out),
        }
    }

    /// Appends the record of a connection or a UDP session as one line.
    pub(super) fn push_stream(&mut self, record: &StreamRecord<'_>, out: &mut Vec<u8>) {
        match self.format {
            LogFormat::Json => json::push_stream(record, &mut self.clock, out),
            LogFormat::Text => logfmt::push_stream(record, &mut self.clock, out),
        }
    }
}

/// Appends a number.
#[inline]
pub(super) fn push_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a duration in milliseconds, with three decimals.
#[inline]
pub(super) fn push_millis(out: &mut Vec<u8>, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    push_number(out, micros / 1000);
    // Three digits with their leading zeros: those of a number from 1000 to 1999, but the first.
    let part = micros % 1000 + 1000;
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(part).as_bytes();
    out.extend_from_slice(&[b'.', digits[1], digits[2], digits[3]]);
}

/// Appends an address; an IPv4 address that came through an IPv6 socket as IPv4.
#[inline]
pub(super) fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            push_number(out, a);
            for octet in [b, c, d] {
                out.push(b'.');
                push_number(out, octet);
            }
        }
        IpAddr::V6(address) => {
            write!(out, "{address}").expect("writing to a buffer cannot fail");
        }
    }
}

/// Appends a time.
#[inline]
pub(super) fn push_time(out: &mut Vec<u8>, clock: &mut Clock, time: SystemTime) {
    clock.push(time, out);
}
