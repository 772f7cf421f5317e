//! Who asked, by which way: `X-Forwarded-*`, `Forwarded`, `Via`, `X-Request-Id`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use http::{
    HeaderMap, HeaderName, HeaderValue, Version,
    header::{self, Entry},
};
use portway_http1::head::{FieldLines, FieldWriter};
use portway_plugin::IDENTITY_FIELDS;
use tokio::sync::Notify;

use super::hops::Seen;
use crate::{
    listen::Presence,
    snapshot::ListenerPlan,
    tls::{ClientCertificate, TlsFacts},
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_FORWARDED_CLIENT_CERT: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// As many fields say who asked.
const MOST_FIELDS: usize = 7;
/// The longest request id that is kept.
const MAX_REQUEST_ID: usize = 128;

/// Takes off what a client says about consumers.
pub(crate) fn strip_consumer(headers: &mut HeaderMap) {
    for name in &IDENTITY_FIELDS {
        headers.remove(name);
    }
}

/// The other end of a connection, with the header values that name it, made once.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The address it connected to.
    pub(crate) local: SocketAddr,
    pub(crate) scheme: &'static str,
    address_value: HeaderValue,
    /// Unknown where another server has accepted the connection.
    port_value: Option<HeaderValue>,
    /// What is known of its TLS.
    pub(crate) tls: Option<TlsFacts>,
    /// `X-Forwarded-For`, `-Proto` and `-Port` as they are sent when nobody spoke before.
    lines: FieldLines,
    /// `X-Forwarded-Client-Cert`, where it has shown one.
    certificate_line: FieldLines,
    hang_up: Notify,
    can_hang_up: AtomicBool,
    /// Counts the connection as open until the last exchange that came by it is over.
    _presence: Option<Presence>,
}

/// Who asked, as far as it is believed.
pub(crate) struct Identity<'a> {
    pub(crate) peer: &'a Peer,
    /// Whether what the peer says about others is believed.
    pub(crate) trusted: bool,
    /// The host the client asked for.
    pub(crate) host: Option<&'a HeaderValue>,
    pub(crate) version: Version,
}

impl Peer {
    /// A peer at `address` that connected to `local`.
    pub(crate) fn new(
        address: SocketAddr,
        local: SocketAddr,
        tls: Option<TlsFacts>,
        presence: Option<Presence>,
    ) -> Self {
        Self::by(scheme(tls.is_some()), address, local, tls, presence)
    }

    /// One whose connection another server has accepted: it alone knows to which port, and what TLS
    /// said.
    pub(crate) fn hosted(address: SocketAddr, is_secure: bool) -> Self {
        Self::by(scheme(is_secure), address, (Ipv4Addr::UNSPECIFIED, 0).into(), None, None)
    }

    /// Port 0 is one that is not known.
    fn by(
        scheme: &'static str,
        address: SocketAddr,
        local: SocketAddr,
        tls: Option<TlsFacts>,
        presence: Option<Presence>,
    ) -> Self {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let value = |text: String| {
            HeaderValue::try_from(text).expect("an address or a number is visible ASCII")
        };
        let address_value = value(address.ip().to_string());
        let port_value = (local.port() != 0).then(|| value(local.port().to_string()));
        let mut lines = FieldLines::default();
        lines.push(&X_FORWARDED_FOR, &address_value);
        lines.push(&X_FORWARDED_PROTO, &HeaderValue::from_static(scheme));
        if let Some(port) = &port_value {
            lines.push(&X_FORWARDED_PORT, port);
        }
        let mut certificate_line = FieldLines::default();
        if let Some(client) = tls.as_ref().and_then(|tls| tls.client.as_ref()) {
            certificate_line.push(&X_FORWARDED_CLIENT_CERT, &client.forwarded);
        }
        Self {
            address,
            local,
            scheme,
            address_value,
            port_value,
            tls,
            lines,
            certificate_line,
            hang_up: Notify::new(),
            can_hang_up: AtomicBool::new(false),
            _presence: presence,
        }
    }

    /// From now on [`hung_up`](Self::hung_up) is waited for.
    pub(crate) fn can_hang_up(&self) {
        self.can_hang_up.store(true, Relaxed);
    }

    /// Its connection is to end now, without another word. Says whether anybody sees to it.
    pub(crate) fn hang_up(&self) -> bool {
        let is_waited_for = self.can_hang_up.load(Relaxed);
        if is_waited_for {
            self.hang_up.notify_one();
        }
        is_waited_for
    }

    /// Waits until somebody has said so.
    pub(crate) async fn hung_up(&self) {
        self.hang_up.notified().await;
    }

    /// The certificate it has shown, which was verified.
    pub(crate) fn certificate(&self) -> Option<&ClientCertificate> {
        self.tls.as_ref()?.client.as_deref()
    }
}

fn scheme(is_secure: bool) -> &'static str {
    if is_secure { "https" } else { "http" }
}

impl Identity<'_> {
    /// The client's address: the socket's, unless a trusted peer speaks for somebody else. Then
    /// the last address in `X-Forwarded-For` that is not itself trusted.
    pub(crate) fn client(&self, headers: &HeaderMap, listener: &ListenerPlan) -> IpAddr {
        let socket = self.peer.address.ip();
        if !self.trusted {
            return socket;
        }
        let mut named = socket;
        let lines: smallvec::SmallVec<[&HeaderValue; 2]> =
            headers.get_all(X_FORWARDED_FOR).iter().collect();
        for entry in lines
            .iter()
            .rev()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','))
        {
            let Some(address) = forwarded_address(entry.trim()) else { break };
            named = address;
            if !listener.trusts(address) {
                break;
            }
        }
        named
    }
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

/// Where the upstream is told who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Introduction {
    /// In the head, together with what others said before.
    InHead,
    /// By [`tell`], in lines of its own.
    Apart,
}

/// Sees to it that the upstream is told who asked, and by nobody else. What an untrusted peer said
/// about that is dropped. So are, from everybody, the spellings a lenient upstream might read
/// (`X_Forwarded_For`): a trusted proxy uses the right one, and lets others pass.
pub(crate) fn introduce(
    headers: &mut HeaderMap,
    seen: Seen,
    identity: &Identity<'_>,
    listener: &ListenerPlan,
) -> Introduction {
    if seen.claims || seen.twins {
        drop_claims(headers, identity.trusted);
    }
    if seen.request_id {
        headers.remove(X_REQUEST_ID);
    }
    let others_spoke = seen.via || (identity.trusted && seen.claims);
    if !others_spoke {
        return Introduction::Apart;
    }
    join(headers, identity, listener);
    Introduction::InHead
}

/// The same, all of it in the head: for plugins to read and to change.
pub(crate) fn introduce_in_head(
    headers: &mut HeaderMap,
    seen: Seen,
    identity: &Identity<'_>,
    listener: &ListenerPlan,
) {
    // At once: heads are made with room for what they came with, and a map grows by doubling.
    headers.reserve(MOST_FIELDS);
    if introduce(headers, seen, identity, listener) == Introduction::Apart {
        join(headers, identity, listener);
    }
}

/// Writes who asked.
pub(crate) fn tell(fields: &mut FieldWriter<'_>, identity: &Identity<'_>, listener: &ListenerPlan) {
    let Identity { peer, host, version, .. } = identity;
    if listener.x_forwarded {
        fields.extend(&peer.lines);
        if let Some(host) = host {
            fields.push(&X_FORWARDED_HOST, host);
        }
    }
    fields.extend(&peer.certificate_line);
    if listener.forwarded {
        fields.push(&header::FORWARDED, &forwarded(peer, *host));
    }
    fields.push(&header::VIA, &via(*version));
}

/// Adds who asked to what others said before.
fn join(headers: &mut HeaderMap, identity: &Identity<'_>, listener: &ListenerPlan) {
    let Identity { peer, trusted, host, version } = identity;
    if listener.x_forwarded {
        append(headers, X_FORWARDED_FOR, &peer.address_value);
        let proto = HeaderValue::from_static(peer.scheme);
        if *trusted {
            headers.entry(X_FORWARDED_PROTO).or_insert(proto);
            if let Some(port) = &peer.port_value {
                headers.entry(X_FORWARDED_PORT).or_insert_with(|| port.clone());
            }
            if let Some(host) = host {
                headers.entry(X_FORWARDED_HOST).or_insert_with(|| (*host).clone());
            }
        } else {
            headers.insert(X_FORWARDED_PROTO, proto);
            if let Some(port) = &peer.port_value {
                headers.insert(X_FORWARDED_PORT, port.clone());
            }
            if let Some(host) = host {
                headers.insert(X_FORWARDED_HOST, (*host).clone());
            }
        }
    }
    if let Some(client) = peer.certificate() {
        headers.insert(X_FORWARDED_CLIENT_CERT, client.forwarded.clone());
    }
    if listener.forwarded {
        append(headers, header::FORWARDED, &forwarded(peer, *host));
    }
    append(headers, header::VIA, &via(*version));
}

/// `Via` of a message received in this version (RFC 9110 section 7.6.3).
pub(crate) fn via(version: Version) -> HeaderValue {
    HeaderValue::from_static(match version {
        Version::HTTP_10 => "1.0 portway",
        Version::HTTP_2 => "2 portway",
        Version::HTTP_3 => "3 portway",
        _ => "1.1 portway",
    })
}

/// The request's id: a trusted peer's own, else a new one.
pub(crate) fn request_id(headers: &HeaderMap, trusted: bool) -> HeaderValue {
    let given = headers.get(X_REQUEST_ID).filter(|id| trusted && is_request_id(id.as_bytes()));
    given.cloned().unwrap_or_else(mint)
}

fn is_request_id(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.iter().all(u8::is_ascii_graphic)
}

/// 128 random bits. An id tells requests apart; it keeps no secret, so a fast generator will do.
pub(crate) fn mint() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = fastrand::u128(..).to_be_bytes();
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&text).expect("hexadecimal digits are visible ASCII")
}

fn drop_claims(headers: &mut HeaderMap, trusted: bool) {
    let mut twins = smallvec::SmallVec::<[HeaderName; 2]>::new();
    for name in headers.keys() {
        let text = name.as_str();
        if text.starts_with("x_") || text.starts_with("x-") && text.contains('_') {
            twins.push(name.clone());
        }
    }
    if !trusted {
        for name in [
            header::FORWARDED,
            X_FORWARDED_FOR,
            X_FORWARDED_HOST,
            X_FORWARDED_PORT,
            X_FORWARDED_PROTO,
            HeaderName::from_static("x-forwarded-prefix"),
            HeaderName::from_static("x-forwarded-server"),
            X_REAL_IP,
            X_FORWARDED_CLIENT_CERT,
        ] {
            headers.remove(name);
        }
    }
    for twin in twins.into_iter().filter(is_twin) {
        headers.remove(twin);
    }
}

/// Whether an upstream that takes `_` for `-` would read one of the names above.
fn is_twin(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded-") || name == "x-real-ip" || name == "x-request-id"
}

/// Appends to a list field, joining lines so that one is sent.
fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    let mut lines = match headers.entry(name) {
        Entry::Vacant(place) => {
            place.insert(value.clone());
            return;
        }
        Entry::Occupied(lines) => lines,
    };
    let mut joined = Vec::new();
    for line in lines.iter() {
        joined.extend_from_slice(line.as_bytes());
        joined.extend_from_slice(b", ");
    }
    joined.extend_from_slice(value.as_bytes());
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        lines.insert(joined);
    }
}

/// One element of `Forwarded` (RFC 7239 section 4).
fn forwarded(peer: &Peer, host: Option<&HeaderValue>) -> HeaderValue {
    let node = match peer.address.ip() {
        IpAddr::V4(ip) => format!("for={ip}"),
        IpAddr::V6(ip) => format!("for=\"[{ip}]\""),
    };
    let host = host.and_then(|host| host.to_str().ok()).map(|host| format!(";host=\"{host}\""));
    let element = format!("{node}{};proto={}", host.unwrap_or_default(), peer.scheme);
    HeaderValue::try_from(element).expect("an address and a checked host are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_new_unless_a_trusted_peer_brings_one() {
        let mut headers = HeaderMap::new();
        assert_eq!(request_id(&headers, true).len(), 32);
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("abc-1"));
        assert_eq!(request_id(&headers, true), "abc-1");
        assert_ne!(request_id(&headers, false), "abc-1");
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("two words"));
        assert_eq!(request_id(&headers, true).len(), 32);
    }

    #[test]
    fn twins_of_our_names_are_dropped() {
        let mut headers = HeaderMap::new();
        for name in ["x_forwarded_for", "x-forwarded_for", "x_real_ip", "x_mine", "x-my_own"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        drop_claims(&mut headers, true);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["x-my_own", "x_mine"]);
    }

    #[test]
    fn lists_are_joined_into_one_line() {
        let mut headers = HeaderMap::new();
        headers.append(header::VIA, HeaderValue::from_static("1.1 a"));
        headers.append(header::VIA, HeaderValue::from_static("1.1 b"));
        append(&mut headers, header::VIA, &via(Version::HTTP_11));
        assert_eq!(headers.get_all(header::VIA).iter().count(), 1);
        assert_eq!(headers[header::VIA], "1.1 a, 1.1 b, 1.1 portway");
    }

    #[test]
    fn addresses_as_proxies_write_them() {
        for text in ["10.0.0.1", "10.0.0.1:80", "::ffff:10.0.0.1"] {
            assert_eq!(forwarded_address(text), Some(IpAddr::from([10, 0, 0, 1])), "{text}");
        }
        assert_eq!(forwarded_address("[::1]"), "::1".parse().ok());
        assert_eq!(forwarded_address("[::1]:80"), "::1".parse().ok());
        assert_eq!(forwarded_address("unknown"), None);
    }
}
