//! What is known about a request when it is over.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use portway_plugin::Note;

/// The longest path that is written whole, in bytes.
const LONGEST_PATH: usize = 8 * 1024;
/// The longest other text that is written whole.
const LONGEST: usize = 1024;
/// What stands where a text was cut.
pub(super) const CUT: &str = "\u{2026}";

/// One request. The fields are the keys of a record, in its order.
///
/// Texts from outside are bytes: whatever they hold, a record stays one line. A path is cut after
/// 8 KiB, any other text after 1 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When the request began.
    pub time: SystemTime,
    /// The method as the client wrote it.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host the client asked for; user information before an `@` is left out.
    pub host: &'a [u8],
    /// The path; from a `?` on, it is left out.
    pub path: &'a [u8],
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub protocol: &'a str,
    /// The status of the answer; 499 when the client left before there was one.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
    /// From the request's head to the last byte of the answer.
    pub duration: Duration,
    /// The time the upstream took, when one was asked.
    pub upstream_duration: Option<Duration>,
    /// The endpoint that was asked last.
    pub endpoint: Option<&'a str>,
    /// How often an endpoint was asked; 0 when none was.
    pub tries: u32,
    /// The route that matched.
    pub route: Option<&'a str>,
    /// The service it forwards to.
    pub service: Option<&'a str>,
    /// The listener the request came in at.
    pub listener: Option<&'a str>,
    /// The client's address, as far as it can be trusted.
    pub client: Option<IpAddr>,
    /// What is known of the TLS the request came by.
    pub tls: Option<Tls<'a>>,
    /// Who asked, where a plugin has found out.
    pub consumer: Option<&'a str>,
    /// The client's `User-Agent`.
    pub user_agent: Option<&'a [u8]>,
    /// The request's id.
    pub request_id: Option<&'a [u8]>,
    /// The code of the error, when there was one.
    pub error: Option<&'a str>,
    /// What led to the error. Only the log has it, the client does not.
    pub cause: Option<&'a str>,
    /// What plugins add, under keys that are named after them.
    pub notes: &'a [Note],
}

/// The TLS a request came by.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a> {
    /// `TLSv1.3`, `TLSv1.2`.
    pub version: &'a str,
    /// The cipher suite, by its name in the IANA registry.
    pub cipher: &'a str,
    /// The name the client asked for.
    pub sni: Option<&'a str>,
    /// The subject of the client's certificate, which was verified.
    pub client_subject: Option<&'a str>,
}

/// A text that may have to be cut.
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_cut: bool,
}

impl<'a> Record<'a> {
    /// The path, without a query even if one was passed in.
    pub(super) fn bare_path(&self) -> Text<'a> {
        let end = self.path.iter().position(|byte| *byte == b'?').unwrap_or(self.path.len());
        Text::limited(&self.path[..end], LONGEST_PATH)
    }

    /// The host, without user information even if it was passed in.
    pub(super) fn bare_host(&self) -> Text<'a> {
        let start = self.host.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
        Text::new(&self.host[start..])
    }
}

impl<'a> Text<'a> {
    /// Any text but a path.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::limited(bytes, LONGEST)
    }

    /// A text that is bounded already.
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, is_cut: false }
    }

    fn limited(bytes: &'a [u8], longest: usize) -> Self {
        if bytes.len() <= longest {
            return Self { bytes, is_cut: false };
        }
        // Not within a character: at most three bytes continue one.
        let is_inner = |at: &usize| bytes[*at] & 0xc0 == 0x80;
        let end = (longest - 3..=longest).rev().find(|at| !is_inner(at)).unwrap_or(longest);
        Self { bytes: &bytes[..end], is_cut: true }
    }
}
