//! A record as `key=value` pairs, with the keys of the JSON form: readable, and parsed by what
//! reads logfmt. A key whose value is not known is left out.

use portway_plugin::Note;

use super::{
    record::{CUT, Record, Text},
    stream::StreamRecord,
    style::{push_address, push_millis, push_number, push_time},
};
use crate::telemetry::{
    clock::Clock,
    escape::{plain_length, push_escaped},
};

/// Room for the keys and the values of fixed size.
const FRAME: usize = 512;

/// Appends a record and a line feed.
pub(super) fn push(record: &Record<'_>, clock: &mut Clock, out: &mut Vec<u8>) {
    out.reserve(FRAME);
    out.extend_from_slice(b"time=");
    push_time(out, clock, record.time);
    push_text(out, b" method=", &Text::new(record.method.as_bytes()));
    push_text(out, b" scheme=", &Text::new(record.scheme.as_bytes()));
    push_text(out, b" host=", &record.bare_host());
    push_text(out, b" path=", &record.bare_path());
    push_text(out, b" protocol=", &Text::new(record.protocol.as_bytes()));
    out.extend_from_slice(b" status=");
    push_number(out, record.status);
    out.extend_from_slice(b" bytes_in=");
    push_number(out, record.bytes_in);
    out.extend_from_slice(b" bytes_out=");
    push_number(out, record.bytes_out);
    out.extend_from_slice(b" duration_ms=");
    push_millis(out, record.duration);
    if let Some(duration) = record.upstream_duration {
        out.extend_from_slice(b" upstream_duration_ms=");
        push_millis(out, duration);
    }
    push_optional(out, b" endpoint=", record.endpoint.map(str::as_bytes));
    out.extend_from_slice(b" tries=");
    push_number(out, record.tries);
    push_optional(out, b" route=", record.route.map(str::as_bytes));
    push_optional(out, b" service=", record.service.map(str::as_bytes));
    push_optional(out, b" listener=", record.listener.map(str::as_bytes));
    if let Some(client) = record.client {
        out.extend_from_slice(b" client=");
        push_address(out, client);
    }
    if let Some(tls) = &record.tls {
        push_optional(out, b" tls_version=", Some(tls.version.as_bytes()));
        push_optional(out, b" tls_cipher=", Some(tls.cipher.as_bytes()));
        push_optional(out, b" sni=", tls.sni.map(str::as_bytes));
        push_optional(out, b" client_subject=", tls.client_subject.map(str::as_bytes));
    }
    push_optional(out, b" consumer=", record.consumer.map(str::as_bytes));
    push_optional(out, b" user_agent=", record.user_agent);
    push_optional(out, b" request_id=", record.request_id);
    push_optional(out, b" error=", record.error.map(str::as_bytes));
    push_optional(out, b" cause=", record.cause.map(str::as_bytes));
    for Note { key, value } in record.notes {
        out.push(b' ');
        out.extend_from_slice(key.as_bytes());
        push_text(out, b"=", &Text::whole(value.as_bytes()));
    }
    out.push(b'\n');
}

/// Appends the record of a connection or a UDP session, and a line feed.
pub(super) fn push_stream(record: &StreamRecord<'_>, clock: &mut Clock, out: &mut Vec<u8>) {
    out.reserve(FRAME);
    out.extend_from_slice(b"time=");
    push_time(out, clock, record.time);
    push_text(out, b" protocol=", &Text::new(record.protocol.as_bytes()));
    push_optional(out, b" sni=", record.sni.map(str::as_bytes));
    out.extend_from_slice(b" bytes_in=");
    push_number(out, record.bytes_in);
    out.extend_from_slice(b" bytes_out=");
    push_number(out, record.bytes_out);
    out.extend_from_slice(b" duration_ms=");
    push_millis(out, record.duration);
    push_optional(out, b" endpoint=", record.endpoint.map(str::as_bytes));
    out.extend_from_slice(b" tries=");
    push_number(out, record.tries);
    push_optional(out, b" route=", record.route.map(str::as_bytes));
    push_optional(out, b" service=", record.service.map(str::as_bytes));
    push_optional(out, b" listener=", record.listener.map(str::as_bytes));
    if let Some(client) = record.client {
        out.extend_from_slice(b" client=");
        push_address(out, client);
    }
    push_optional(out, b" error=", record.error.map(str::as_bytes));
    push_optional(out, b" cause=", record.cause.map(str::as_bytes));
    out.push(b'\n');
}

/// Appends a key and a value: bare where nothing in it could be misread, otherwise quoted and
/// escaped.
#[inline]
fn push_text(out: &mut Vec<u8>, key: &[u8], text: &Text<'_>) {
    out.extend_from_slice(key);
    let bytes = text.bytes;
    let is_bare = !bytes.is_empty() && !text.is_cut && plain_length::<true>(bytes) == bytes.len();
    if is_bare {
        out.extend_from_slice(bytes);
    } else {
        out.push(b'"');
        push_escaped(out, bytes);
        if text.is_cut {
            out.extend_from_slice(CUT.as_bytes());
        }
        out.push(b'"');
    }
}

/// Appends a key and a text, if there is one.
#[inline]
fn push_optional(out: &mut Vec<u8>, key: &[u8], text: Option<&[u8]>) {
    if let Some(text) = text {
        push_text(out, key, &Text::new(text));
    }
}
