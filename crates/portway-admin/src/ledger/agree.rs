//! Ledger, store and traffic say the same again, after an answer of the store was lost.

use std::sync::Arc;

use portway_core::{Intent, Part};
use portway_store as store;

use super::{Error, Ledger, News, State, change::applied, load};

impl Ledger {
    /// Looks at what the store has, when it is not clear after a write. Nobody else is writing.
    /// `is_restored` when everything may be another than before. Should it fail, the next change
    /// finds that the store has something else, and leads here again.
    pub(super) async fn look_again(&self, error: &Error, is_restored: bool) {
        if !matches!(error, Error::Conflict | Error::Store(store::Error::Uncertain(_))) {
            return;
        }
        if let Err(error) = self.agree(is_restored).await {
            tracing::error!(%error, "what the store has may not be what is served");
        }
    }

    /// Goes over to what the store has. It was checked before it was written: the ledger takes it
    /// also when the gateway, whose files may have changed meanwhile, does not serve it.
    async fn agree(&self, is_restored: bool) -> Result<(), Error> {
        let state = load::load(&*self.0.store, &self.ring(), &self.0.catalog).await?;
        let before = self.state();
        let is_known = state.revision == before.revision && !is_restored;
        if is_known {
            return Ok(());
        }
        let (revision, part) = (state.revision, Part::Stored(Arc::clone(&state.resources)));
        let outcome = self.propose(revision, part, Intent::Apply).await;
        let is_other_history = is_restored || revision < before.revision;
        let restored = before.restored + u64::from(is_other_history);
        self.set(State { restored, ..state });
        // Nobody may be watching. Who does, looks up what lies between.
        let _ = self.0.told.send(match is_other_history {
            true => News::Restored(revision),
            false => News::Changed(Arc::new(self.record(revision).await?)),
        });
        applied(outcome, None).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future,
        sync::atomic::{AtomicBool, Ordering::Relaxed},
    };

    use bytes::Bytes;
    use futures_util::StreamExt as _;
    use portway_config::{Catalog, Kind, NoLookup, Origin, resource};
    use portway_core::{Changes, Options, Stop, run, source::FileSource};
    use portway_store::{
        Answer, Entry, Key, Limits, List, Location, Memory, Page, Prefix, Revision, Store,
        Transaction, Watch,
        backup::{Archive, Replacement, Snapshot, backup},
        seal::KeyRing,
    };
    use tokio::sync::Notify;

    use super::*;
    use crate::ledger::{Changed, Edit, KeyPlace, Request, lookup::Secrets};

    /// What the gateway of a test is besides: none is in the way of another.
    const PROCESS: &str = "probes: {bind: \"127.0.0.1:0\"}";

    /// A store whose next answer to a write may be lost, and which may be out of reach for one
    /// list then.
    #[derive(Default)]
    struct Far {
        store: Memory,
        loses_answer: AtomicBool,
        is_out_of_reach: AtomicBool,
    }

    impl Far {
        fn lost(&self, revision: Revision) -> Result<Revision, store::Error> {
            match self.loses_answer.swap(false, Relaxed) {
                true => Err(store::Error::Uncertain("no answer came".into())),
                false => Ok(revision),
            }
        }
    }

    impl Store for Far {
        fn limits(&self) -> Limits {
            self.store.limits()
        }

        fn location(&self) -> Answer<'_, Location> {
            self.store.location()
        }

        fn revision(&self) -> Answer<'_, Revision> {
            self.store.revision()
        }

        fn get(&self, key: &Key) -> Answer<'_, Option<Entry>> {
            self.store.get(key)
        }

        fn list(&self, list: List) -> Answer<'_, Page> {
            if self.is_out_of_reach.swap(false, Relaxed) {
                return Box::pin(future::ready(Err(store::Error::Unavailable("gone".into()))));
            }
            self.store.list(list)
        }

        fn commit(&self, transaction: Transaction) -> Answer<'_, Revision> {
            Box::pin(async { self.lost(self.store.commit(transaction).await?) })
        }

        fn watch(&self, prefix: &Prefix, from: Revision) -> Answer<'_, Watch> {
            self.store.watch(prefix, from)
        }
    }

    impl Archive for Far {
        fn snapshot(&self) -> Answer<'_, Snapshot> {
            self.store.snapshot()
        }

        fn replace(&self, replacement: Replacement) -> Answer<'_, Revision> {
            Box::pin(async { self.lost(self.store.replace(replacement).await?) })
        }
    }

    /// Runs a gateway with a ledger in a store, for as long as something is done with them.
    async fn with_gateway(does: impl AsyncFnOnce(&Far, &Ledger)) {
        let (catalog, store) = (Catalog::default(), Arc::new(Far::default()));
        let (changes, proposals) = Changes::new(&catalog);
        let keys = (KeyRing::generate().unwrap(), KeyPlace::Memory);
        let archive: Arc<dyn Archive> = store.clone();
        let ledger = Ledger::open(archive, keys, &catalog, changes, 10).await.unwrap();
        let options = Options { cores: Some(1), embedded: true, ..Options::default() };
        let (end, started) = (Notify::new(), Notify::new());
        let stop = async || {
            end.notified().await;
            Stop::Drain
        };
        let process = portway_config::load(PROCESS, "a.yaml", &NoLookup, &catalog).unwrap();
        let process = (Origin::code(), Part::Loaded(Arc::new(process)));
        let (sources, parts) = (Vec::<FileSource>::new(), vec![process, ledger.part()]);
        let gateway = run(sources, parts, proposals, options, stop, |_, _| started.notify_one());
        // On the heap: it is large.
        let gateway = Box::pin(gateway);
        let gateway = async { assert!(gateway.await.unwrap()) };
        tokio::join!(gateway, async {
            started.notified().await;
            does(&store, &ledger).await;
            end.notify_one();
        });
    }

    async fn put(ledger: &Ledger, name: &str) -> Result<Changed, Error> {
        let id = format!("route/default/{name}").parse().unwrap();
        let spec = format!("{{match: {{path: /{name}}}, target: {{reply: {{}}}}}}");
        let route = resource(&spec, "a.yaml", &id, &Secrets::default(), ledger.catalog()).unwrap();
        let edits = vec![Edit::Put(Box::new(route))];
        ledger.change(Request { edits, author: "me".into(), ..Request::default() }).await
    }

    /// The routes that the gateway serves, which are those that the ledger has.
    fn routes(ledger: &Ledger) -> Vec<String> {
        let state = ledger.state();
        let known: Vec<_> = state.resources.iter().map(|one| one.id.name.to_string()).collect();
        let running = ledger.changes().running().unwrap();
        assert_eq!(running.config().count(Kind::Route), known.len());
        known
    }

    #[tokio::test]
    async fn a_change_whose_answer_was_lost_is_there_and_others_follow() {
        with_gateway(async |store, ledger| {
            put(ledger, "a").await.unwrap();
            let mut told = ledger.watch();
            store.loses_answer.store(true, Relaxed);
            let error = put(ledger, "b").await.unwrap_err();
            assert!(matches!(error, Error::Store(store::Error::Uncertain(_))), "{error}");
            assert_eq!(routes(ledger), ["a", "b"]);
            assert!(matches!(told.recv().await, Ok(News::Changed(one)) if one.revision == 2));
            assert_eq!(put(ledger, "c").await.unwrap().revision, 3);
            assert_eq!(routes(ledger), ["a", "b", "c"]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_store_that_went_out_of_reach_is_asked_again_by_the_next_change() {
        with_gateway(async |store, ledger| {
            store.loses_answer.store(true, Relaxed);
            store.is_out_of_reach.store(true, Relaxed);
            put(ledger, "a").await.unwrap_err();
            assert_eq!(routes(ledger), [""; 0]);
            assert!(matches!(put(ledger, "b").await, Err(Error::Conflict)));
            assert_eq!(routes(ledger), ["a"]);
            assert_eq!(put(ledger, "b").await.unwrap().revision, 2);
            assert_eq!(routes(ledger), ["a", "b"]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_restore_whose_answer_was_lost_is_there() {
        with_gateway(async |store, ledger| {
            put(ledger, "a").await.unwrap();
            let pieces: Vec<_> = backup(store).await.unwrap().collect().await;
            let bytes: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
            put(ledger, "b").await.unwrap();
            let read = ledger.read_backup(bytes.concat().into()).await.unwrap();
            store.loses_answer.store(true, Relaxed);
            ledger.restore(read, false).await.unwrap_err();
            assert_eq!((routes(ledger), ledger.state().restored), (vec!["a".to_owned()], 1));
            assert_eq!(put(ledger, "c").await.unwrap().revision, 2);
            assert_eq!(routes(ledger), ["a", "c"]);
        })
        .await;
    }
}
