//! HTTP message signatures (RFC 9421).

use http::HeaderMap;
use portway_plugin::{Exchange, Request};

use super::{
    fields::{InnerList, Reader},
    signed::{DERIVED, Signed, Unusable, field, part},
};

pub(super) const INPUT: &str = "signature-input";
pub(super) const SIGNATURE: &str = "signature";

/// The one signature of a request.
pub(super) fn read(request: &Request, exchange: &Exchange<'_>) -> Result<Signed, Unusable> {
    let (list, signature) = members(request.headers())?;
    if list.text("alg").is_some_and(|algorithm| algorithm != "hmac-sha256") {
        return Err(Unusable::Refused("the signature's algorithm is not taken"));
    }
    let key = list.text("keyid").ok_or(Unusable::Refused("the signature names no key"))?;
    let mut base = String::new();
    for (number, name) in list.items.iter().enumerate() {
        if list.items[..number].contains(name) {
            return Err(Unusable::Refused("the signature covers something twice"));
        }
        if name.starts_with('@') && !DERIVED.contains(&name.as_str()) {
            return Err(Unusable::Refused("the signature covers what is not understood"));
        }
        let value = part(name, request, exchange);
        let value = value.ok_or(Unusable::Refused("the signature covers what is not there"))?;
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {list}"));
    Ok(Signed {
        key: key.to_owned(),
        base,
        signature,
        created: list.integer("created"),
        expires: list.integer("expires"),
        covered: list.items,
    })
}

/// What is covered, and the signature, under the same name.
fn members(headers: &HeaderMap) -> Result<(InnerList, Vec<u8>), Unusable> {
    const BAD: Unusable = Unusable::Refused("the signature is not in the form of RFC 9421");
    if !headers.contains_key(INPUT) && !headers.contains_key(SIGNATURE) {
        return Err(Unusable::Missing);
    }
    let input = field(INPUT, headers).ok_or(BAD)?;
    let signature = field(SIGNATURE, headers).ok_or(BAD)?;
    let (mut input, mut signature) = (Reader::new(&input), Reader::new(&signature));
    let name = input.key().ok_or(BAD)?;
    let list = input.take('=').then(|| input.inner_list()).flatten().ok_or(BAD)?;
    let same = signature.key() == Some(name);
    let bytes = signature.take('=').then(|| signature.bytes()).flatten().ok_or(BAD)?;
    input.skip_spaces();
    signature.skip_spaces();
    // Which of several is to be believed is not guessed.
    if input.take(',') || signature.take(',') {
        return Err(Unusable::Ambiguous);
    }
    if !same || !input.is_done() || !signature.is_done() {
        return Err(BAD);
    }
    Ok((list, bytes))
}
