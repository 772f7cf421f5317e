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
    /// Those that were let go are among them, and for a while those that have ended.
    circle: VecDeque<Weak<Session>>,
    /// How long the circle may become before those that have ended are taken out.
    longest: usize,
}

impl Table {
    pub(super) fn get(&self, client: SocketAddr) -> Option<&Arc<Session>> {
        self.sessions.get(&client)
    }

    /// All that have not ended, those that were let go among them.
    pub(super) fn all(&self) -> impl Iterator<Item = Arc<Session>> {
        self.circle.iter().filter_map(Weak::upgrade)
    }

    /// Lets those go that `stays` does not name: they find no datagrams here any more, and go on
    /// until their end.
    pub(super) fn retain(&mut self, stays: impl Fn(&Session) -> bool) {
        self.sessions.retain(|_, session| stays(session));
    }

    pub(super) fn insert(&mut self, session: &Arc<Session>) {
        if self.circle.len() >= self.longest {
            self.circle.retain(|session| session.strong_count() > 0);
            self.longest = 2 * self.circle.len() + LOOKS;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::StreamEnd;

    async fn session(port: u16) -> Arc<Session> {
        Session::for_tests(([192, 0, 2, 1], port).into()).await.into()
    }

    #[tokio::test]
    async fn the_quiet_one_makes_room() {
        let mut table = Table::default();
        for port in 1..=3 {
            table.insert(&session(port).await);
        }
        assert!(table.quiet().is_none(), "all have just begun");
        let (one, three) =
            (table.get(([192, 0, 2, 1], 1).into()), table.get(([192, 0, 2, 1], 3).into()));
        for used in [one, three] {
            assert!(used.expect("it is there").send(b"x").is_ok());
        }
        let quiet = table.quiet().expect("the second was not used");
        assert_eq!(quiet.client.port(), 2);
        quiet.end(StreamEnd::Evicted);
        assert!(quiet.send(b"x").is_err(), "it is over");
        table.forget(Some(&quiet));
        assert_eq!(table.all().count(), 2);
    }

    #[tokio::test]
    async fn one_that_is_let_go_finds_no_datagrams_and_is_not_forgotten() {
        let mut table = Table::default();
        let (old, new) = (session(1).await, session(1).await);
        table.insert(&old);
        table.retain(|_| false);
        assert!(table.get(old.client).is_none());
        table.insert(&new);
        assert_eq!(table.all().count(), 2);
    }

    #[tokio::test]
    async fn only_a_session_itself_is_forgotten() {
        let mut table = Table::default();
        let (old, new) = (session(1).await, session(1).await);
        table.insert(&old);
        table.insert(&new);
        table.forget(Some(&old));
        assert!(table.get(new.client).is_some_and(|session| Arc::ptr_eq(session, &new)));
        table.forget(Some(&new));
        assert!(table.get(new.client).is_none());
    }

    #[tokio::test]
    async fn sessions_that_ended_take_no_room_for_long() {
        let mut table = Table::default();
        for _ in 0..10 * LOOKS {
            let session = session(1).await;
            table.insert(&session);
            table.forget(Some(&session));
        }
        assert!(table.circle.len() <= 2 * LOOKS, "{}", table.circle.len());
    }
}
