//! `maintenance` at work.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use portway_plugin::{
    Body, Escape, Next, Plugin, Problem, Request, Response, Result,
    value::{Cidr, ErrorStatus, Quoted},
};

use super::{MaintenanceSpec, accept::prefers_html, error::UnderMaintenance, schedule::Schedule};

/// Answers that a service is being worked on.
#[derive(Debug)]
pub struct Maintenance {
    /// `None`: always.
    schedule: Option<Schedule>,
    exclude: Box<[Cidr]>,
    status: ErrorStatus,
    message: String,
    page: Bytes,
    redirect: Option<Redirect>,
    retry_after: Option<Duration>,
}

#[derive(Debug)]
struct Redirect {
    location: HeaderValue,
    /// The path, where it leads back to this gateway.
    path: Option<Box<str>>,
}

impl Plugin for Maintenance {
    const NAME: &'static str = "maintenance";
    const EXAMPLE: &str = include_str!("example.yaml");
    type Spec = MaintenanceSpec;

    fn create(spec: MaintenanceSpec) -> Result<Self, Problem> {
        let schedule = Schedule::new(&spec.hours, spec.utc_offset)?;
        if schedule.is_some() && !spec.retry_after.is_zero() {
            let message = "clients are told to come back at the end of the hours";
            let problem = Problem::new("bad_value", message).at("retry_after");
            return Err(problem.hint("leave out retry_after or hours"));
        }
        Ok(Self {
            schedule,
            exclude: spec.exclude.into(),
            status: spec.status,
            page: page(&spec.title, &spec.message),
            message: spec.message,
            redirect: spec.redirect.as_deref().map(Redirect::new).transpose()?,
            retry_after: spec.retry_after.limit(),
        })
    }

    async fn call(&self, request: Request, next: Next<'_>) -> Result<Response> {
        let remaining = match &self.schedule {
            None => self.retry_after,
            Some(schedule) => match schedule.remaining(next.host().now()) {
                None => return next.run(request).await,
                remaining => remaining,
            },
        };
        let exchange = next.exchange();
        let path = self.redirect.as_ref().and_then(|redirect| redirect.path.as_deref());
        if path == Some(exchange.path()) || self.excludes(exchange.client()) {
            return next.run(request).await;
        }
        let mut result = self.answer(request.headers());
        let headers = match &mut result {
            Ok(response) => response.headers_mut(),
            Err(error) => error.headers_mut(),
        };
        if let Some(remaining) = remaining {
            let seconds = remaining.as_secs() + u64::from(remaining.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        result
    }
}

impl Maintenance {
    fn excludes(&self, client: std::net::IpAddr) -> bool {
        self.exclude.iter().any(|block| block.contains(client))
    }

    fn answer(&self, asked: &HeaderMap) -> Result<Response> {
        if let Some(Redirect { location, .. }) = &self.redirect {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            response.headers_mut().insert(header::LOCATION, location.clone());
            return Ok(response);
        }
        if !prefers_html(asked) {
            let message = self.message.clone();
            return Err(UnderMaintenance { status: self.status, message }.into());
        }
        let mut response = Response::new(Body::from(self.page.clone()));
        *response.status_mut() = self.status.get();
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }
}

impl Redirect {
    fn new(target: &str) -> Result<Self, Problem> {
        let refused = || {
            let message = format!("{} is neither a URL nor a path", Quoted(target));
            let problem = Problem::new("bad_value", message).at("redirect");
            problem.hint("write https://status.example.com/ or /maintenance.html")
        };
        let uri: Uri = target.parse().map_err(|_| refused())?;
        let is_url = matches!(uri.scheme_str(), Some("http" | "https"));
        // Two slashes at the beginning would name another host.
        let is_path =
            target.starts_with('/') && !target.starts_with("//") && !target.contains('\\');
        if !is_url && !is_path {
            return Err(refused());
        }
        let path = is_path.then(|| uri.path().into());
        Ok(Self { location: target.parse().map_err(|_| refused())?, path })
    }
}

fn page(title: &str, message: &str) -> Bytes {
    let (title, message) = (Escape::Html.text(title), Escape::Html.text(message));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>body {{ font: 1rem/1.5 sans-serif; margin: 20vh auto; max-width: 40rem; \
         padding: 0 1rem }}</style>\n<h1>{title}</h1>\n<p>{message}</p>\n</html>\n"
    )
    .into()
}
