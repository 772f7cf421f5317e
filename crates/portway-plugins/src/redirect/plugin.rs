//! The plugin.

use http::{HeaderValue, StatusCode, header};
use portway_plugin::{
    Body, Error, Next, Plugin, Problem, Request, Response, Result,
    value::{HostValue, Scheme},
};

use super::RedirectSpec;
use crate::path_edit::{PathEdit, PathEditSpec};

/// Sends clients elsewhere.
#[derive(Debug)]
pub struct Redirect {
    scheme: Option<Scheme>,
    host: Option<Box<str>>,
    port: Option<u16>,
    path: Option<PathEdit>,
    keep_query: bool,
    status: StatusCode,
}

impl Plugin for Redirect {
    const NAME: &'static str = "redirect";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = RedirectSpec;

    fn create(spec: RedirectSpec) -> Result<Self, Problem> {
        let of_host = spec.host.as_ref().and_then(HostValue::port);
        if of_host.is_some() && spec.port.is_some() {
            let message = "the port is given twice, here and with the host";
            return Err(Problem::new("contradiction", message).at("port"));
        }
        if spec.host.is_none() {
            refuse_loop(&spec)?;
        }
        Ok(Self {
            scheme: spec.scheme,
            host: spec.host.as_ref().map(|host| host.host().into()),
            port: spec.port.map(std::num::NonZeroU16::get).or(of_host),
            path: PathEdit::new(spec.path)?,
            keep_query: spec.keep_query,
            status: spec.status.get(),
        })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let Some(location) = self.location(&request, next)? else {
            return next.run(request).await;
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }
}

impl Redirect {
    /// Where the client is to go. `None` where it is already.
    fn location(&self, request: &Request, next: Next<'_>) -> Result<Option<HeaderValue>> {
        let exchange = next.exchange();
        let (old_path, old_query) = (exchange.path(), request.uri().query());
        let path = match &self.path {
            Some(edit) => edit.apply(old_path, exchange)?,
            None => None,
        };
        let path = path.as_deref().unwrap_or(old_path);
        let query = old_query.filter(|_| self.keep_query);
        let authority = self.authority(request, next)?;
        if authority.is_none() && path == old_path && query == old_query {
            return Ok(None);
        }
        let mut location = authority.unwrap_or_default();
        // A browser reads `//host` and `/\host` as the name of another server.
        location.push('/');
        let rest = path.trim_start_matches(['/', '\\']);
        location.push_str(&rest.replace('\\', "%5C"));
        if let Some(query) = query {
            location.push('?');
            location.push_str(query);
        }
        let location = HeaderValue::try_from(location).map_err(|error| {
            let message = "the request's target cannot be part of a redirect";
            Error::client(StatusCode::BAD_REQUEST, "bad_target", message).because(error)
        })?;
        Ok(Some(location))
    }

    /// `https://host:port`, where it is not the one the client has asked.
    fn authority(&self, request: &Request, next: Next<'_>) -> Result<Option<String>> {
        if self.scheme.is_none() && self.host.is_none() && self.port.is_none() {
            return Ok(None);
        }
        let exchange = next.exchange();
        let own = if exchange.scheme() == "https" { Scheme::Https } else { Scheme::Http };
        let scheme = self.scheme.unwrap_or(own);
        let host = self.host.as_deref().unwrap_or(exchange.host());
        if host.is_empty() {
            let message = "a request without a host cannot be redirected";
            return Err(Error::client(StatusCode::BAD_REQUEST, "bad_host", message));
        }
        let asked_port = asked_port(request).unwrap_or(own.default_port());
        let same = scheme == own && host.eq_ignore_ascii_case(exchange.host());
        let port = self.port.unwrap_or(if same { asked_port } else { scheme.default_port() });
        if same && port == asked_port {
            return Ok(None);
        }
        Ok(Some(match port == scheme.default_port() {
            true => format!("{scheme}://{host}"),
            false => format!("{scheme}://{host}:{port}"),
        }))
    }
}

/// The port in the `Host` field.
fn asked_port(request: &Request) -> Option<u16> {
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    let (_, port) = host.rsplit_once(':')?;
    port.parse().ok()
}

/// Refuses what leads every client back to where it came from, for ever.
fn refuse_loop(spec: &RedirectSpec) -> Result<(), Problem> {
    let PathEditSpec { path, prefix, regex } = &spec.path;
    let elsewhere = spec.scheme.is_some() || spec.port.is_some();
    if !elsewhere && path.is_none() && prefix.is_none() && regex.is_none() {
        return Err(Problem::new("missing", "it leads nowhere")
            .hint("give a scheme, a host, a port or a path"));
    }
    let Some(prefix) = prefix else { return Ok(()) };
    if prefix.from.strip(prefix.to.as_str()).is_none() {
        return Ok(());
    }
    let message = match prefix.from == prefix.to {
        true => format!("{} leads to itself", prefix.from),
        false => format!("{} is below {}: it would be redirected again", prefix.to, prefix.from),
    };
    let problem = Problem::new("redirect_loop", message).at("prefix.to");
    Err(problem.hint("use path for one path, or another prefix"))
}
