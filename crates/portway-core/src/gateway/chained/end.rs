//! The end of a chain: an errand, at any endpoint or at one that was chosen before its own plugins.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use http::Request;
use portway_plugin::{Body, BoxFuture, Exchange as Shared, Next, RequestExt, Response, Result};

use super::super::asked::Asked;
use super::errand::{Asking, Desk, Errand, busy};
use crate::{
    balance::{Ask, Permit, Pick},
    chain::{End, RequestFacts, Steps, Walk},
    snapshot::Destination,
    upstream::MAX_ENDPOINTS,
};

/// What stands behind the chain.
#[derive(Clone, Copy)]
pub(super) struct Behind<'a> {
    pub(super) desk: &'a Desk,
    pub(super) facts: &'a RequestFacts<'a>,
    /// Where the request goes, if that has plugins of its own.
    pub(super) endpoints: Option<&'a Destination>,
}

/// What is done at the end of a chain.
#[expect(
    clippy::large_enum_variant,
    reason = "the usual one is the large one, and boxed as a whole"
)]
pub(super) enum Serving<'a> {
    Asking(Asking<'a>),
    AtEndpoints(BoxFuture<'a, Result<Response>>),
}

impl Future for Serving<'_> {
    type Output = Result<Response>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        match self.get_mut() {
            Self::Asking(asking) => Pin::new(asking).poll(cx),
            Self::AtEndpoints(serving) => serving.as_mut().poll(cx),
        }
    }
}

impl End for Behind<'_> {
    fn serve<'s>(
        &'s self,
        request: Request<Body>,
        shared: &'s Shared<'s>,
    ) -> impl Future<Output = Result<Response>> + Send + 's {
        match self.endpoints {
            None => Serving::Asking(self.desk.ask(Errand { request, only: None })),
            Some(to) => Serving::AtEndpoints(Box::pin(self.at_endpoints(request, shared, to))),
        }
    }
}

impl Behind<'_> {
    /// Chooses an endpoint and passes the plugins that stand before it; the next one where nobody
    /// can have seen the request and it can be sent again.
    async fn at_endpoints(
        &self,
        request: Request<Body>,
        shared: &Shared<'_>,
        to: &Destination,
    ) -> Result<Response> {
        let facts = self.facts;
        let upstream = &facts.view.lanes[to.upstream].upstream;
        let (mut tried, mut request) = (Vec::new(), Some(request));
        let mut last = None;
        while let Some(inward) = request.take() {
            let found = facts.found.ok_or_else(super::super::no_destination)?;
            let asked = Asked {
                client: &facts.client,
                path: facts.path,
                target: inward.uri().path_and_query(),
                view: facts.view,
                id: found.id,
                found_by: facts.path,
            };
            let ask = Ask { of: &asked, headers: Some(inward.headers()) };
            let Some(Pick { index, permit, .. }) = upstream.pick(&tried, ask)? else {
                return Err(last.unwrap_or_else(super::super::no_destination));
            };
            tried.push(index);
            request = inward.try_clone();
            let endpoint = AtEndpoint { desk: self.desk, index, permit: Mutex::new(permit) };
            let result = match &to.endpoints[index] {
                None => endpoint.serve(inward, shared).await,
                Some(chain) => {
                    let way = (found.plan, found.destination);
                    let cells = facts.view.endpoint_cells(way, index, chain, &facts.shard.cells);
                    let steps = Steps::of(chain);
                    let walk = Walk::new(chain, facts, cells, endpoint, &steps);
                    Next::new(&walk, shared, 0).run(inward).await
                }
            };
            match result {
                Err(error) if error.is_unseen() && tried.len() < MAX_ENDPOINTS => {
                    last = Some(error);
                }
                result => return result,
            }
        }
        Err(last.unwrap_or_else(busy))
    }
}

/// One endpoint, behind its plugins.
struct AtEndpoint<'a> {
    desk: &'a Desk,
    index: usize,
    permit: Mutex<Option<Permit>>,
}

impl End for AtEndpoint<'_> {
    fn serve<'s>(
        &'s self,
        request: Request<Body>,
        _: &'s Shared<'s>,
    ) -> impl Future<Output = Result<Response>> + Send + 's {
        let permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.desk.ask(Errand { request, only: Some((self.index, permit)) })
    }
}
