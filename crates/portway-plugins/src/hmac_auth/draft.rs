//! Signatures as they were before RFC 9421 (draft-cavage-http-signatures).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header};
use portway_plugin::{Exchange, Request, credential::scheme};

use super::{
    fields::Reader,
    signed::{Signed, Unusable, field},
    standard::SIGNATURE,
};

const BAD: Unusable = Unusable::Refused("the signature is not in the form of the draft");

/// The parts of a request that are no fields.
pub(super) const DERIVED: [&str; 3] = ["(request-target)", "(created)", "(expires)"];

/// What stands in the field.
#[derive(Default)]
struct Parameters {
    key: Option<String>,
    algorithm: Option<String>,
    headers: Option<String>,
    signature: Option<String>,
    created: Option<i64>,
    expires: Option<i64>,
}

/// The one signature of a request.
pub(super) fn read(request: &Request, exchange: &Exchange<'_>) -> Result<Signed, Unusable> {
    let parameters = Parameters::read(one(request.headers())?).ok_or(BAD)?;
    if !matches!(parameters.algorithm.as_deref(), None | Some("hs2019" | "hmac-sha256")) {
        return Err(Unusable::Refused("the signature's algorithm is not taken"));
    }
    let headers = parameters.headers.as_deref().unwrap_or("date").to_ascii_lowercase();
    let covered: Vec<String> = headers.split(' ').map(str::to_owned).collect();
    let mut base = String::new();
    for (number, name) in covered.iter().enumerate() {
        if covered[..number].contains(name) {
            return Err(Unusable::Refused("the signature covers something twice"));
        }
        let value = match name.as_str() {
            "(request-target)" => Some(target(request, exchange)),
            "(created)" => parameters.created.map(|time| time.to_string()),
            "(expires)" => parameters.expires.map(|time| time.to_string()),
            name => field(name, request.headers()),
        };
        let value = value.ok_or(Unusable::Refused("the signature covers what is not there"))?;
        base.push_str(if number == 0 { "" } else { "\n" });
        base.push_str(&format!("{name}: {value}"));
    }
    let has = |name: &str| covered.iter().any(|part| part == name);
    let date = || httpdate::parse_http_date(&field("date", request.headers())?).ok();
    let date = if has("date") { date() } else { None };
    let date = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    let date = date.and_then(|date| i64::try_from(date.as_secs()).ok());
    Ok(Signed {
        key: parameters.key.ok_or(Unusable::Refused("the signature names no key"))?,
        base,
        signature: parameters.signature.and_then(|text| STANDARD.decode(text).ok()).ok_or(BAD)?,
        created: parameters.created.filter(|_| has("(created)")).or(date),
        expires: parameters.expires.filter(|_| has("(expires)")),
        covered,
    })
}

/// The field it is in: `Authorization`, or `Signature`.
fn one(headers: &HeaderMap) -> Result<&str, Unusable> {
    let authorization = headers.get_all(header::AUTHORIZATION);
    let of_scheme = authorization.iter().filter_map(|line| scheme(line.as_bytes(), b"signature"));
    let bare = headers.get_all(SIGNATURE).iter().map(HeaderValue::as_bytes);
    let mut all = of_scheme.chain(bare);
    let first = all.next().ok_or(Unusable::Missing)?;
    if all.next().is_some() || authorization.iter().count() > 1 {
        return Err(Unusable::Ambiguous);
    }
    std::str::from_utf8(first).map_err(|_| BAD)
}

impl Parameters {
    /// `keyId="…",created=1,…`, each once.
    fn read(text: &str) -> Option<Self> {
        let (mut reader, mut all) = (Reader::new(text), Self::default());
        loop {
            reader.skip_spaces();
            let name = reader.while_true(|c| c.is_ascii_alphanumeric());
            if !reader.take('=') {
                return None;
            }
            let again = match name {
                "keyId" => all.key.replace(reader.text()?).is_some(),
                "algorithm" => all.algorithm.replace(reader.text()?).is_some(),
                "headers" => all.headers.replace(reader.text()?).is_some(),
                "signature" => all.signature.replace(reader.text()?).is_some(),
                "created" => all.created.replace(reader.integer()?).is_some(),
                "expires" => all.expires.replace(reader.integer()?).is_some(),
                _ => {
                    reader.text()?;
                    false
                }
            };
            reader.skip_spaces();
            if again {
                return None;
            }
            if !reader.take(',') {
                return reader.is_done().then_some(all);
            }
        }
    }
}

fn target(request: &Request, exchange: &Exchange<'_>) -> String {
    let method = request.method().as_str().to_ascii_lowercase();
    match request.uri().query() {
        Some(query) => format!("{method} {}?{query}", exchange.path()),
        None => format!("{method} {}", exchange.path()),
    }
}
