//! One connection and its way to an endpoint.

use std::sync::atomic::Ordering::Relaxed;

use super::{Account, Caller, both_ways::both_ways, own};
use crate::{
    telemetry::metrics::StreamEnd,
    upstream::{Dialled, Lane, Reached},
};

/// Passes a connection on to the endpoint its account names, until either has ended.
pub(super) async fn pass_on(mut caller: Caller, mut account: Account) {
    let end = passed_on(&mut caller, &mut account).await;
    if !matches!(end, StreamEnd::Closed | StreamEnd::ClientReset | StreamEnd::UpstreamReset) {
        caller.stream.break_off();
    }
    // The connection is closed before there is room for another, and before its record is there.
    let Caller { stream, presence, .. } = caller;
    drop(stream);
    drop(presence);
}

async fn passed_on(caller: &mut Caller, account: &mut Account) -> StreamEnd {
    let removed = account.removed();
    let mut removed = std::pin::pin!(removed);
    let Some((lane, stages)) = account.destination() else {
        account.unreachable(None);
        return StreamEnd::NoEndpoint;
    };
    let client = account.client();
    let dialled = tokio::select! {
        biased;
        // On the heap: it is soon over, and a future is as large as its largest state.
        dialled = Box::pin(lane.dial(stages.connect, client, &mut account.tries)) => Ok(dialled),
        () = caller.stream.broken() => Err(StreamEnd::ClientReset),
        () = &mut removed => Err(StreamEnd::Cut),
    };
    let Dialled { socket: mut upstream, held: _held } = match dialled {
        Ok(Ok(dialled)) => dialled,
        Ok(Err(error)) => {
            account.unreachable(Some(&error));
            return StreamEnd::NoEndpoint;
        }
        Err(end) => {
            account.end(end);
            return end;
        }
    };
    let read = std::mem::take(&mut caller.read);
    account.passed.from_client.store(read.len() as u64, Relaxed);
    let mut first = introduction(caller, &lane);
    first.extend_from_slice(&read);
    drop(read);
    let (shard, client, passed) = (&caller.shard, &caller.stream, &account.passed);
    let copying = async {
        match &mut upstream {
            Reached::Socket(upstream) => {
                both_ways(client, upstream, first, &shard.scratch, passed, stages.idle).await
            }
            // On the heap: few are.
            Reached::Own(upstream) => {
                Box::pin(own::both_ways(client, upstream, first, passed, stages.idle)).await
            }
        }
    };
    let end = tokio::select! {
        biased;
        () = removed => StreamEnd::Cut,
        end = copying => end,
    };
    if let (StreamEnd::Cut | StreamEnd::Idle, Reached::Socket(upstream)) = (end, &upstream) {
        upstream.break_off();
    }
    account.end(end);
    end
}

/// What the upstream is told before the client's first byte.
fn introduction(caller: &Caller, lane: &Lane) -> Vec<u8> {
    lane.upstream.introduction(caller.client, caller.local).map_or_else(Vec::new, |it| it.to_vec())
}
