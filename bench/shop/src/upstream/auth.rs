//! Says who a token belongs to. The load has a token from the start, so nobody registers here.

use http::{Method, Request, StatusCode, header};
use hyper::body::Incoming;

use super::{Answer, json, refused, token};

pub(super) fn answer(request: &Request<Incoming>) -> Answer {
    if request.uri().path() != "/verify" {
        return refused(StatusCode::NOT_FOUND, "not found");
    }
    if request.method() != Method::POST {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    }
    let token = request.headers().get(header::AUTHORIZATION);
    let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token.and_then(token::verify).and_then(|user| serde_json::to_vec(&user).ok()) {
        Some(user) => json(user),
        None => refused(StatusCode::UNAUTHORIZED, "invalid token"),
    }
}
