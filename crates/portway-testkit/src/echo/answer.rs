//! What the echo upstream says about a request.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::checksum::Checksum;
use super::server::Connection;
use crate::wire::Secured;

/// How much of a request body is shown in an answer.
const SHOWN: usize = 64 * 1024;

/// The answer of the echo upstream: the request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The name of the upstream that answered, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The request method.
    pub method: String,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub protocol: String,
    /// The authority of the target (`:authority` in HTTP/2), or else the `Host` header.
    pub host: Option<String>,
    /// The path, byte for byte.
    pub path: String,
    /// The query, byte for byte, without its question mark.
    pub query: Option<String>,
    /// The header fields in order. Names are in lower case; values of one name stand together.
    pub headers: Vec<(String, String)>,
    /// The request body.
    pub body: Received,
    /// The trailer fields after the body.
    pub trailers: Vec<(String, String)>,
    /// The address that answered; `0.0.0.0:0` for a Unix domain socket.
    pub local_addr: SocketAddr,
    /// The address that asked; `0.0.0.0:0` for a Unix domain socket.
    pub peer_addr: SocketAddr,
    /// What TLS says about the connection, if it came over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Secured>,
}

/// A request body as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Received {
    /// How many bytes came, all of them.
    pub length: u64,
    /// The [`checksum`](super::checksum) over all of them.
    pub checksum: String,
    /// The first 64 KiB as text, if they are UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The first 64 KiB in hexadecimal, if they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

impl Answer {
    /// The value of the first header of that name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The values of all headers of that name, which is in lower case.
    #[must_use]
    pub fn all_headers(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn new(
        connection: &Connection,
        head: &Parts,
        (body, trailers): (Received, HeaderMap),
    ) -> Self {
        let authority = head.uri.authority().map(ToString::to_string);
        let host = head.headers.get(header::HOST).map(|value| text(value.as_bytes()));
        Self {
            name: connection.name.clone(),
            method: head.method.to_string(),
            protocol: format!("{:?}", head.version),
            host: authority.or(host),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: pairs(&head.headers),
            body,
            trailers: pairs(&trailers),
            local_addr: connection.local_addr,
            peer_addr: connection.peer_addr,
            tls: connection.secured.clone(),
        }
    }

    /// JSON for people: one line for each field and each header.
    pub(super) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut json, Lines::default());
        self.serialize(&mut serializer)?;
        json.push(b'\n');
        Ok(json)
    }
}

/// Reads a body to its end; only what is shown is kept.
pub(super) async fn receive<B>(mut body: B) -> Result<(Received, HeaderMap), B::Error>
where
    B: Body<Data = bytes::Bytes> + Unpin,
{
    let mut length = 0_u64;
    let mut sum = Checksum::default();
    let mut shown = BytesMut::new();
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => {
                length += data.len() as u64;
                sum.update(&data);
                let room = SHOWN - shown.len();
                shown.extend_from_slice(&data[..data.len().min(room)]);
            }
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    let cut = length > SHOWN as u64;
    let (text, hex) = match show(&shown, cut) {
        Some(text) => (Some(text), None),
        None => (None, Some(to_hex(&shown))),
    };
    Ok((Received { length, checksum: sum.to_hex(), text, hex }, trailers))
}

/// The bytes as text, if they are; where they were cut, the last character may be incomplete.
fn show(bytes: &[u8], cut: bool) -> Option<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(error) if cut && error.error_len().is_none() => {
            Some(text(&bytes[..error.valid_up_to()]))
        }
        Err(_) => None,
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn pairs(fields: &HeaderMap) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Breaks lines in the outer two levels and writes what is deeper on one line.
#[derive(Default)]
struct Lines {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

impl Lines {
    const BROKEN: usize = 2;

    /// Enters a level, or asks about the one we are in: is it broken into lines?
    fn broken(&self) -> bool {
        self.depth <= Self::BROKEN
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.broken() {
            self.pretty.begin_array(writer)
        } else {
            CompactFormatter.begin_array(writer)
        }
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let broken = self.broken();
        self.depth -= 1;
        if broken { self.pretty.end_array(writer) } else { CompactFormatter.end_array(writer) }
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        match (self.broken(), first) {
            (true, _) => self.pretty.begin_array_value(to, first),
            (false, true) => Ok(()),
            (false, false) => to.write_all(b", "),
        }
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.broken() { self.pretty.end_array_value(writer) } else { Ok(()) }
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.pretty.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        self.pretty.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.pretty.begin_object_key(to, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_body_util::Full;

    use super::*;
    use crate::echo::checksum;

    async fn received(bytes: &[u8]) -> Received {
        receive(Full::new(bytes::Bytes::copy_from_slice(bytes))).await.unwrap().0
    }

    #[tokio::test]
    async fn a_body_is_shown_as_text_or_else_in_hexadecimal() {
        let text = received("grüße".as_bytes()).await;
        assert_eq!((text.length, text.text.as_deref(), text.hex), (7, Some("grüße"), None));

        let binary = received(&[0xff, 0x00]).await;
        assert_eq!((binary.text, binary.hex.as_deref()), (None, Some("ff00")));
    }

    #[tokio::test]
    async fn a_long_body_is_counted_whole_and_shown_in_part() {
        let mut long = vec![b'x'; SHOWN - 1];
        long.extend_from_slice("üü".as_bytes());
        let seen = received(&long).await;
        assert_eq!(seen.length, SHOWN as u64 + 3);
        assert_eq!(seen.checksum, checksum(&long));
        assert_eq!(seen.text.unwrap().len(), SHOWN - 1, "half a character is not shown");
    }

    #[test]
    fn json_has_one_line_for_each_header() {
        let head = http::Request::get("/a?b").header("x", "1").header("y", "2").body(()).unwrap();
        let got = (Received::default(), HeaderMap::new());
        let addr = SocketAddr::from(([127, 0, 0, 1], 80));
        let connection = Connection {
            name: None,
            counts: Arc::default(),
            local_addr: addr,
            peer_addr: addr,
            secured: None,
            stopping: tokio::sync::watch::channel(false).1,
            upgrade: Mutex::default(),
            tunnels: Mutex::default(),
        };
        let answer = Answer::new(&connection, &head.into_parts().0, got);
        let json = String::from_utf8(answer.to_json().unwrap()).unwrap();
        assert!(json.contains("    [\"x\", \"1\"],\n    [\"y\", \"2\"]\n  ],\n"), "{json}");
        assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), answer);
    }
}
