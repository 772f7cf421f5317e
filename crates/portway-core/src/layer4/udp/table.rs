//! One core's sessions by client, and which of them may make room.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Weak},
};

use hashbrown::HashMap;

use super::session::Session;

/// How many sessions are looked at to find a quiet one: an attacker's datagram costs no more.
const LOOKS: usize = 64;

/// The sessions of one core. They are gone through in a circle to find one that was quiet for a
/// whole round, which is nearly the one that was quiet longest.
#[derive(Default)]
pub(super) struct Table {
    sessions: HashMap<SocketAddr, Arc<Session>>,
    /// Those that have ended may be among them for a while.
    circle: VecDeque<Weak<Session>>,
}

impl Table {
    pub(super) fn get(&self, client: SocketAddr) -> Option<&Arc<Session>> {
        self.sessions.get(&client)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().map(AsRef::as_ref)
    }

    pub(super) fn insert(&mut self, session: &Arc<Session>) {
        if self.circle.len() > 2 * self.sessions.len() + LOOKS {
            self.circle.retain(|session| session.strong_count() > 0);
        }
        self.circle.push_back(Arc::downgrade(session));
        self.sessions.insert(session.client, Arc::clone(session));
    }

    pub(super) fn remove(&mut self, client: SocketAddr) {
        self.sessions.remove(&client);
    }

    /// Removes a session that has ended, unless its client has another one by now.
    pub(super) fn forget(&mut self, ended: Option<&Arc<Session>>) {
        let Some(ended) = ended else { return };
        if self.get(ended.client).is_some_and(|session| Arc::ptr_eq(session, ended)) {
            self.remove(ended.client);
        }
    }

    /// A session that was quiet since it was looked at last, if there is one nearby.
    pub(super) fn quiet(&mut self) -> Option<Arc<Session>> {
        for _ in 0..LOOKS.min(self.circle.len()) {
            let session = self.circle.pop_front()?;
            let Some(session) = session.upgrade().filter(|session| !session.is_over()) else {
                continue;
            };
            if session.is_quiet() {
                return Some(session);
            }
            self.circle.push_back(Arc::downgrade(&session));
        }
        None
    }
}
