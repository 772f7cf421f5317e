//! Asking the admin API: one connection for each request, HTTP/1.1, with or without TLS.

mod connection;
mod events;
mod failure;
mod request;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

pub(crate) use self::{
    events::{Event, Events},
    failure::{Failure, Refusal},
    request::{Request, escaped},
};
use super::connect::{Settings, settings::Address};
use crate::terminal;

/// A redirect that leads to a redirect, and so on, ends here.
const REDIRECTS: usize = 5;
/// The most bytes of an answer that is kept in memory.
const MOST: usize = 512 * 1024 * 1024;

/// Who asks which gateway.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) settings: Settings,
}

/// What the gateway said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Bytes,
}

/// An answer whose body is read as it comes.
pub(super) struct Stream {
    headers: HeaderMap,
    body: Incoming,
    timeout: Duration,
}

impl Client {
    /// Asks, and takes the `data` of the answer's envelope, and its `meta`.
    pub(super) async fn ask(&self, request: Request) -> Result<Said, Failure> {
        let answer = self.send(request).await?;
        let mut envelope: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| Failure::foreign(&self.settings.admin, StatusCode::OK, &answer.body))?;
        let mut take = |key| envelope.get_mut(key).map(Value::take).unwrap_or_default();
        Ok(Said { data: take("data"), meta: take("meta") })
    }

    /// Asks, and reads the whole answer.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        self.open(request).await?.whole().await
    }

    /// Asks; an answer that is no success is a failure.
    pub(super) async fn open(&self, request: Request) -> Result<Stream, Failure> {
        let mut admin = self.settings.admin.clone();
        let mut path = format!("{}{}", admin.prefix, request.path);
        for _ in 0..=REDIRECTS {
            let response =
                connection::exchange(&self.settings, &admin, request.over(&path)?).await?;
            let (head, body) = response.into_parts();
            if self.settings.verbose {
                let asked = format!("{} {}{path}", request.method, admin.url());
                terminal::note(&format!("{asked}: {}", head.status));
            }
            let stream = Stream { headers: head.headers, body, timeout: self.settings.timeout };
            if head.status.is_success() {
                return Ok(stream);
            }
            if !head.status.is_redirection() {
                let is_problem = stream.is_problem();
                let answer = stream.whole().await?;
                return Err(Failure::of(&admin, head.status, is_problem, &answer));
            }
            (admin, path) = self.redirected(&admin, &stream.headers)?;
        }
        Err(Failure::unreachable(&self.settings.admin, "it redirects in a circle"))
    }

    /// Where a redirect leads. The credentials go along, so it is never from TLS to none.
    fn redirected(
        &self,
        from: &Address,
        headers: &HeaderMap,
    ) -> Result<(Address, String), Failure> {
        let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_default();
        if !self.settings.follow {
            let cause = format!("it redirects to {location:?}: say --follow to go there");
            return Err(Failure::unreachable(from, &cause));
        }
        if location.starts_with('/') && !location.starts_with("//") {
            return Ok((from.clone(), location.to_owned()));
        }
        let (to, path) = Address::redirected(location).map_err(|error| {
            Failure::unreachable(from, &format!("it redirects to {location:?}: {error}"))
        })?;
        if from.tls && !to.tls {
            let cause = format!("it redirects to {location:?}, which is not encrypted");
            return Err(Failure::unreachable(from, &cause));
        }
        Ok((to, path))
    }
}

/// The two halves of the envelope.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) data: Value,
    pub(super) meta: Value,
}

impl Stream {
    fn is_problem(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("application/problem+json"))
    }

    /// The next piece of the body, however long it takes.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(causes(&error)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The next piece of the body, as long as it does not take too long.
    pub(super) async fn next_in_time(&mut self) -> Result<Option<Bytes>, Failure> {
        let limit = self.timeout;
        match tokio::time::timeout(limit, self.next()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(cause)) => Err(Failure::cut(&cause)),
            Err(_) => Err(Failure::cut(&format!("nothing came for {} s", limit.as_secs()))),
        }
    }

    /// The whole of it.
    async fn whole(mut self) -> Result<Answer, Failure> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.next_in_time().await? {
            body.extend_from_slice(&piece);
            if body.len() > MOST {
                return Err(Failure::cut("it is too long"));
            }
        }
        Ok(Answer { body: body.freeze() })
    }
}

/// An error and what caused it, once each.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text += &format!(": {cause_text}");
        }
        source = cause.source();
    }
    text
}
