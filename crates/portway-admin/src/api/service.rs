//! The service: who asks is found out, what they ask for is done, and it is written down.

use std::{
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use portway_core::{
    AdminPeer, AdminService, Body, Response,
    explain::{Admitted, Seen},
};

use super::{
    answer::{Failure, Made, response},
    context::Context,
    extensions::{self, Extensions},
    live::Live,
    lookup::{Found, find},
    openapi,
    operation::Operation,
    pages::page,
    query::Query,
};
use crate::{
    access::{Admission, AuditLog, AuditRecord, DebugTokens, Guard, Peer, TokenDesk},
    ledger::Ledger,
};

/// What the API is made of.
#[derive(Debug)]
pub struct Setup {
    /// What is written.
    pub ledger: Ledger,
    /// Who is let in.
    pub guard: Guard,
    /// Who gives tokens.
    pub tokens: TokenDesk,
    /// Where is written down who did what.
    pub audit: AuditLog,
    /// Who lets live requests be explained.
    pub debug: DebugTokens,
    /// What the program adds.
    pub extensions: Extensions,
    /// The version of the program.
    pub version: &'static str,
}

/// The API as a service. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) ledger: Ledger,
    pub(crate) guard: ArcSwap<Guard>,
    pub(crate) tokens: TokenDesk,
    pub(crate) audit: AuditLog,
    pub(crate) live: Live,
    pub(crate) extensions: Extensions,
    pub(crate) version: &'static str,
    /// The `OpenAPI` document, made when somebody asks for it first: anybody may, as often as they
    /// like, and it is long.
    document: OnceLock<Bytes>,
}

impl Api {
    /// The API of a gateway.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let Setup { ledger, guard, tokens, audit, debug, extensions, version } = setup;
        let (guard, live) = (ArcSwap::from_pointee(guard), Live::new(debug));
        let document = OnceLock::new();
        Self(Arc::new(Inner { ledger, guard, tokens, audit, live, extensions, version, document }))
    }

    /// Follows what the configuration says about who is let in, for as long as the gateway runs.
    pub async fn follow(self) {
        let mut changes = self.0.ledger.changes().clone();
        let mut admin = None;
        while let Some(running) = changes.changed().await {
            let wanted = &running.config().admin;
            if admin.as_ref() == Some(wanted) {
                continue;
            }
            match self.0.guard.load().renewed(wanted) {
                Ok(guard) => self.0.guard.store(Arc::new(guard)),
                Err(problem) => tracing::error!(code = problem.code, "{problem}"),
            }
            admin = Some(wanted.clone());
        }
    }
}

impl AdminService for Api {
    fn answer(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        let api = Arc::clone(&self.0);
        Box::pin(async move { api.answer(request).await })
    }

    fn watches(&self) -> bool {
        self.0.live.is_awake()
    }

    fn admits(&self, token: &[u8]) -> Option<Admitted> {
        self.0.live.admits(token)
    }

    fn expects(&self, id: &HeaderValue) {
        self.0.live.expects(id);
    }

    fn saw(&self, seen: Seen) {
        self.0.live.saw(&seen);
    }
}

/// What is known of a request by the time it is written down.
struct Asked {
    method: Method,
    path: String,
    client: Option<IpAddr>,
    admission: Option<Admission>,
    message: Option<String>,
    revision: Option<u64>,
}

impl Inner {
    /// The `OpenAPI` document.
    pub(crate) fn document(&self) -> Bytes {
        let made = || openapi(self.ledger.catalog(), self.version).to_string().into();
        self.document.get_or_init(made).clone()
    }

    async fn answer(self: Arc<Self>, request: Request<Body>) -> Response {
        let (head, body) = request.into_parts();
        let mut asked = Asked {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            client: None,
            admission: None,
            message: None,
            revision: None,
        };
        let cors = self.guard.load().cors(&head);
        let made = Arc::clone(&self).made(head, body, &mut asked).await;
        let mut response = match made {
            Ok(Made::Envelope(answer)) => {
                asked.revision = answer.revision;
                answer.into_response()
            }
            Ok(Made::Other(response)) => response,
            Err(failure) => failure.into_response(),
        };
        response.headers_mut().extend(cors.into_iter().flatten().filter_map(named));
        self.write_down(&asked, response.status());
        if asked.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    async fn made(
        self: Arc<Self>,
        head: Parts,
        body: Body,
        asked: &mut Asked,
    ) -> Result<Made, Failure> {
        let peer = peer(&head);
        let guard = self.guard.load_full();
        if let Some(fields) = guard.preflight(&head, &peer)? {
            let mut response = response(StatusCode::NO_CONTENT, "text/plain", "");
            response.headers_mut().extend(fields);
            return Ok(response.into());
        }
        asked.client = Some(guard.hear(&head, &peer)?);
        if let Some(page) = page(&self, &head) {
            return Ok(page.into());
        }
        let path = head.uri.path();
        let admission = guard.admit(&head, &peer).await?;
        asked.admission = Some(admission.clone());
        if extensions::asked(path).is_some() {
            return extensions::answer(self, head, body, &admission.who).await;
        }
        let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
        let (operation, params) = match find(method, path) {
            Found::Operation(operation, params) => (operation, params),
            Found::Methods(methods) => return Err(not_allowed(&methods)),
            Found::Nothing => {
                let detail = format!("nothing is at {path}; see /openapi.json");
                return Err(Failure::not_found(detail));
            }
        };
        let query = known(operation, Query::read(head.uri.query()))?;
        let body = body.collect().await.map_err(|error| {
            Failure::new(error.status(), error.code(), error.message().to_owned())
        })?;
        let context = Context {
            api: self,
            who: admission.who,
            path: params,
            query,
            head,
            body: body.to_bytes(),
        };
        asked.message = context.message();
        (operation.run)(context).await
    }

    /// Every change that somebody asked for, and everybody who was kept out.
    fn write_down(&self, asked: &Asked, status: StatusCode) {
        let is_write = !matches!(asked.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let kept_out = matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        );
        if !is_write && !kept_out {
            return;
        }
        let admission = asked.admission.as_ref();
        self.audit.write(&AuditRecord {
            time: SystemTime::now().into(),
            author: admission.map(|known| known.who.name.to_string()).unwrap_or_default(),
            by: admission.map(|known| known.who.by),
            client: asked.client.unwrap_or(IpAddr::from([0, 0, 0, 0])),
            method: asked.method.to_string(),
            path: asked.path.clone(),
            status: status.as_u16(),
            revision: asked.revision,
            message: asked.message.clone(),
        });
    }
}

/// The other end of the connection that a request came by.
pub(crate) fn peer(head: &Parts) -> Peer<'_> {
    let other_end = head.extensions.get::<AdminPeer>();
    Peer {
        address: other_end.map_or(IpAddr::from([0, 0, 0, 0]), |end| end.address().ip()),
        tls: other_end.is_some_and(AdminPeer::is_tls),
        certificate: other_end.and_then(AdminPeer::certificate),
    }
}

/// Parameters that nobody knows are mistakes: what was meant would silently not be done. So are
/// values that cannot be, also where an operation happens not to look at them.
fn known(operation: &Operation, query: Query) -> Result<Query, Failure> {
    let is_known = |name: &str| operation.query.iter().any(|parameter| parameter.name == name);
    if let Some(unknown) = query.names().find(|name| !is_known(name)) {
        let names: Vec<_> = operation.query.iter().map(|parameter| parameter.name).collect();
        let detail = match names.is_empty() {
            true => format!("there is no parameter {unknown:?} here, nor any other"),
            false => format!("there is no parameter {unknown:?}; there are {}", names.join(", ")),
        };
        return Err(Failure::bad_request("unknown_parameter", detail));
    }
    for parameter in operation.query {
        match (parameter.name, parameter.kind) {
            ("limit", _) => drop(query.limit(1)?),
            (name, "boolean") => drop(query.is_set(name)?),
            (name, "integer") => drop(query.parsed::<u64>(name)?),
            _ => {}
        }
    }
    Ok(query)
}

fn not_allowed(methods: &[Method]) -> Failure {
    let names: Vec<_> = methods.iter().map(Method::as_str).collect();
    let names = names.join(", ");
    let (status, code) = (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    let mut failure = Failure::new(status, code, format!("here there are {names}"));
    if let Ok(names) = HeaderValue::try_from(names) {
        failure.headers.insert(header::ALLOW, names);
    }
    failure
}

/// A field of a map with its name; a second one of a name is left out.
fn named(
    (name, value): (Option<header::HeaderName>, HeaderValue),
) -> Option<(header::HeaderName, HeaderValue)> {
    Some((name?, value))
}
