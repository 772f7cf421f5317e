//! What is known about a connection or a UDP session that was passed on, when it is over.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

/// One connection or UDP session. The fields are the keys of a record, in its order, and mean what
/// they mean for a request.
#[derive(Clone, Copy, Debug)]
pub struct StreamRecord<'a> {
    /// When it began.
    pub time: SystemTime,
    /// `tcp`, `tls`, `udp`, or the name of a protocol of the program's own.
    pub protocol: &'a str,
    /// The name a TLS client asked for (SNI).
    pub sni: Option<&'a str>,
    /// Bytes the client sent.
    pub bytes_in: u64,
    /// Bytes the client was sent.
    pub bytes_out: u64,
    /// From the beginning to the end.
    pub duration: Duration,
    /// The endpoint that was asked last.
    pub endpoint: Option<&'a str>,
    /// How often an endpoint was asked; 0 when none was.
    pub tries: u32,
    /// The route that took it.
    pub route: Option<&'a str>,
    /// The service it was passed on to.
    pub service: Option<&'a str>,
    /// The listener it came in at.
    pub listener: Option<&'a str>,
    /// The client's address.
    pub client: Option<IpAddr>,
    /// Why it ended, unless both sides closed it.
    pub error: Option<&'a str>,
    /// What led to that.
    pub cause: Option<&'a str>,
}
