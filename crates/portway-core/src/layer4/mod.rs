//! Bytes and datagrams that are passed on without being understood: TCP, TLS by the name the
//! client asks for, UDP.
//!
//! A connection is taken by a route of its listener, an endpoint of the route's service is
//! connected, and then bytes go both ways until both sides have closed, nothing passes any more,
//! or the configuration no longer has the route. Of TLS the first message is read, and passed on
//! like everything behind it; UDP has no connections, so a client's address makes a session.
//! Each has one access record and is counted once, whatever its end ([`Account`]). What this room
//! never does: open TLS, change a byte, understand what passes, send anything twice.

mod account;
mod alert;
mod both_ways;
mod hello;
mod idle;
mod own;
mod scratch;
mod tcp;
mod tls;
mod udp;

use std::{net::SocketAddr, sync::Arc};

use bytes::BytesMut;
use portway_config::ListenerProtocol;

use self::account::Account;
use crate::{
    driver::Closing,
    listen::Presence,
    server::Shard,
    snapshot::{ListenerId, View},
    socket::Stream,
    telemetry::metrics::Refusal,
};

pub(crate) use alert::unrecognized_name;
pub(crate) use hello::{Hello, NotTls, peek};
pub(crate) use idle::Movement;
pub(crate) use scratch::Scratch;
pub(crate) use tls::hear;
pub(crate) use udp::{Receiving, datagrams};

/// A connection that is to be passed on.
pub(crate) struct Caller {
    pub(crate) shard: Arc<Shard>,
    pub(crate) listener: ListenerId,
    pub(crate) stream: Stream,
    /// Who is at the other end, by the socket or by a proxy's word.
    pub(crate) client: SocketAddr,
    /// The address it came to.
    pub(crate) local: SocketAddr,
    /// What was read from it already.
    pub(crate) read: BytesMut,
    /// Tells the listener's connections to leave: those that have said nothing do.
    pub(crate) closing: Arc<Closing>,
    /// Its place in the listener's crowd.
    pub(crate) presence: Presence,
}

/// Serves a connection to a listener that speaks no HTTP.
pub(crate) async fn serve(caller: Caller) {
    let view = caller.shard.view();
    let Some(listener) = view.snapshot.listener(caller.listener) else { return };
    if listener.protocol == ListenerProtocol::Tls {
        // On the heap: what comes after the client's hello weighs less.
        return Box::pin(tls::serve(caller, view)).await;
    }
    let mut account = Account::new(&caller, ListenerProtocol::Tcp, listener);
    match view.snapshot.streams.unnamed(caller.listener) {
        Some(plan) => {
            account.take(&view, plan);
            // The connection may outlive many revisions.
            drop(view);
            tcp::pass_on(caller, account).await;
        }
        None => account.refuse(Refusal::NoRoute),
    }
}

/// Passes a TLS connection on unopened by a plan that
/// [`passthrough`](View::passthrough) of this view has found for `name`.
pub(crate) async fn pass_through(
    caller: Caller,
    view: Arc<View>,
    plan: usize,
    name: Option<Box<str>>,
) {
    let Some(listener) = view.snapshot.listener(caller.listener) else { return };
    let mut account = Account::new(&caller, ListenerProtocol::Tls, listener);
    account.name(name);
    account.take(&view, plan);
    drop(view);
    tcp::pass_on(caller, account).await;
}
