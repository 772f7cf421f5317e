//! A client, perhaps a proxy, and an origin, glued together by pipes.

use std::{
    future::{self, Future},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use portway_http1::{
    client::{self, Home},
    error::{BodyError, HeadError},
    limits::HeadLimits,
    server::{self, Body, Service},
};
use tokio::{
    io::{DuplexStream, duplex},
    task::{JoinHandle, JoinSet},
};

use super::pattern::{Pattern, read};

/// What is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) room: usize,
    pub(super) up: (usize, bool),
    pub(super) down: (usize, bool),
    /// The origin answers before it has read the request.
    pub(super) early: bool,
}

/// What an origin saw: requests, how far their bodies came, and which came to their end.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<(usize, bool)>>>);

impl Seen {
    pub(super) fn all(&self) -> Vec<(usize, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tasks that must come to an end by themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks(Arc<Mutex<Vec<JoinHandle<()>>>>);

impl Tasks {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(task);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// Waits for all of them.
    pub(super) async fn end(&self) {
        loop {
            let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(next) = next else { return };
            next.await.expect("no panic");
        }
    }
}

pub(super) type AnyBody = UnsyncBoxBody<Bytes, BodyError>;
type Serving = Pin<Box<dyn Future<Output = server::End> + Send>>;

/// Serves a connection. Returns its other end.
fn serve<S>(room: usize, service: S) -> (DuplexStream, Serving)
where
    S: Service<Body = AnyBody, Future: Send> + Send + Sync + 'static,
{
    let (here, there) = duplex(room);
    let options = server::Options::default();
    let connection = server::Connection::new(there, BytesMut::new(), options);
    (here, Box::pin(connection.serve(service, future::pending())))
}

/// An origin that answers as planned.
pub(super) fn origin(plan: Plan, seen: &Seen, tasks: &Tasks) -> (DuplexStream, Serving) {
    serve(plan.room, Origin { plan, seen: seen.clone(), tasks: tasks.clone() })
}

/// A proxy ahead of such an origin.
pub(super) fn proxy(plan: Plan, seen: &Seen, tasks: &Tasks) -> (DuplexStream, Serving) {
    serve(plan.room, Proxy(Origin { plan, seen: seen.clone(), tasks: tasks.clone() }))
}

#[derive(Clone)]
struct Origin {
    plan: Plan,
    seen: Seen,
    tasks: Tasks,
}

impl Service for Origin {
    type Body = AnyBody;
    type Future = Pin<Box<dyn Future<Output = Response<AnyBody>> + Send>>;

    fn call(&self, request: Request<Body>) -> Self::Future {
        let (plan, seen) = (self.plan, self.seen.clone());
        let mut all = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = all.len();
        all.push((0, false));
        drop(all);
        let reading = async move {
            let read = read(request.into_body(), plan.up.0, plan.up.1).await;
            seen.0.lock().unwrap_or_else(PoisonError::into_inner)[number] = read;
        };
        let answer = Response::new(Pattern::new(plan.down.0, plan.down.1));
        let answer = answer.map(|body| body.map_err(|never| match never {}).boxed_unsync());
        if plan.early {
            self.tasks.spawn(reading);
            return Box::pin(future::ready(answer));
        }
        Box::pin(async move {
            reading.await;
            answer
        })
    }

    fn refuse(&self, error: HeadError) -> Response<AnyBody> {
        refuse(error)
    }
}

/// Half a head is no request.
fn refuse(error: HeadError) -> Response<AnyBody> {
    assert_eq!(error, HeadError::StartLine);
    let none = Pattern::default().map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(error.status()).body(none).expect("an answer")
}

struct Proxy(Origin);

impl Service for Proxy {
    type Body = AnyBody;
    type Future = Pin<Box<dyn Future<Output = Response<AnyBody>> + Send>>;

    fn call(&self, mut request: Request<Body>) -> Self::Future {
        let Origin { plan, seen, tasks } = self.0.clone();
        Box::pin(async move {
            let (there, serving) = origin(plan, &seen, &tasks);
            tasks.spawn(async move {
                serving.await;
            });
            let connection = client::Connection::new(there, HeadLimits::default());
            match connection.exchange(&mut request, client::Options::default()).await {
                Ok(answer) => {
                    let (head, body, upload) = answer.into_parts(Shelf::default());
                    let mut task = JoinSet::new();
                    upload.map(|upload| task.spawn(upload));
                    let body = Guarding { body, _task: task };
                    let mut response = Response::new(body.boxed_unsync());
                    *response.status_mut() = head.status;
                    response
                }
                Err(_) => {
                    let none = Pattern::default().map_err(|never| match never {}).boxed_unsync();
                    Response::builder().status(502).body(none).expect("an answer")
                }
            }
        })
    }

    fn refuse(&self, error: HeadError) -> Response<AnyBody> {
        refuse(error)
    }
}

/// A body that ends an upload with it.
struct Guarding<B> {
    body: B,
    _task: JoinSet<()>,
}

impl<B: HttpBody + Unpin> HttpBody for Guarding<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Keeps the connection that is given back.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf(Arc<Mutex<Option<client::Connection<DuplexStream>>>>);

impl Home<DuplexStream> for Shelf {
    fn give_back(self, connection: client::Connection<DuplexStream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

/// What a client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// The answer, to its end.
    Whole,
    /// It could see that it was not whole.
    Cut,
    /// A proxy told that it got none.
    BadGateway,
}

/// Runs the one exchange of a plan.
pub(super) async fn ask(plan: Plan, there: DuplexStream) -> Got {
    let connection = client::Connection::new(there, HeadLimits::default());
    let body = Pattern::new(plan.up.0, plan.up.1);
    let request = Request::builder().method(Method::POST).uri("/").header("host", "a");
    let mut request = request.body(body).expect("a request");
    let answer = match connection.exchange(&mut request, client::Options::default()).await {
        Ok(answer) => answer,
        Err(failure) => {
            assert!(failure.reason.is_hang_up(), "{:?}", failure.reason);
            return Got::Cut;
        }
    };
    let (head, body, upload) = answer.into_parts(Shelf::default());
    let mut task = JoinSet::new();
    upload.map(|upload| task.spawn(upload));
    if head.status == 502 {
        return Got::BadGateway;
    }
    assert_eq!(head.status, 200);
    let hint = body.size_hint().exact();
    assert_eq!(hint, plan.down.1.then_some(plan.down.0 as u64));
    let (_, whole) = read(body, plan.down.0, plan.down.1).await;
    if whole { Got::Whole } else { Got::Cut }
}
