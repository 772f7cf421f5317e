//! What one core's requests share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;

use crate::{
    gateway::Hosted,
    layer4::Scratch,
    observe::Hosts,
    snapshot::{Life, View},
    telemetry::{WallClock, access::AccessLogHandle, metrics::CoreCells},
};

/// One core's state: its view of the configuration, its counters, its access log. It is carried
/// by the service, not by a thread-local, so that a request may run on any runtime.
pub(crate) struct Shard {
    /// Which core it is, from 0.
    pub(crate) number: usize,
    view: ArcSwap<View>,
    pub(crate) cells: Arc<CoreCells>,
    pub(crate) access: AccessLogHandle,
    pub(crate) wall: WallClock,
    /// Where bytes are on their way through.
    pub(crate) scratch: Scratch,
    draining: AtomicBool,
    hosted: Option<Hosted>,
    /// The program that hosts the gateway.
    pub(crate) hosts: Hosts,
    /// How long tunnels may go on while the process drains.
    pub(crate) tunnels: Life,
}

impl Shard {
    pub(crate) fn new(
        number: usize,
        view: Arc<View>,
        cells: Arc<CoreCells>,
        access: AccessLogHandle,
        hosted: Option<Hosted>,
        hosts: Hosts,
    ) -> Arc<Self> {
        let view = ArcSwap::new(view);
        let (wall, draining) = (WallClock::default(), AtomicBool::new(false));
        let tunnels = Life::new();
        Arc::new(Self {
            number,
            view,
            cells,
            access,
            wall,
            scratch: Scratch::default(),
            draining,
            hosted,
            hosts,
            tunnels,
        })
    }

    /// The newest view. The reference count is this core's own.
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// From the next request on, this view is served.
    pub(crate) fn show(&self, view: Arc<View>) {
        self.view.store(view);
    }

    /// What answers the requests of the admin API.
    pub(crate) fn hosted(&self) -> Option<&Hosted> {
        self.hosted.as_ref()
    }

    /// From now on answers ask clients to leave.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
