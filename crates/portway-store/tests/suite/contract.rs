//! What every store promises. Each test runs over each store.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use portway_store::{
    Commit, Entry, Error, Event, Expect, Key, List, Revision, Transaction, Watch, backup::Archive,
};

use crate::stores::{KEPT, Subject, key, prefix};

/// Makes a test of each function for each store.
macro_rules! over_every_store {
    ($($test:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $test() { super::$test(crate::stores::memory()).await; })*
        }

        mod embedded {
            $(#[tokio::test] async fn $test() { super::$test(crate::stores::embedded()).await; })*
        }
    };
}

over_every_store! {
    an_empty_store_has_nothing
    a_put_is_read_back_with_its_revisions
    a_transaction_is_one_revision
    a_refused_transaction_touches_nothing
    what_changes_nothing_makes_no_revision
    a_key_put_anew_was_made_anew
    lists_are_cut_and_go_on
    lists_are_cut_by_their_bytes
    lists_go_backwards
    a_folder_is_deleted_alone
    limits_are_stated_and_kept
    a_key_is_written_once
    a_watch_shows_whole_commits_in_order
    a_watch_from_the_past_misses_nothing
    a_watch_waits_for_the_future
    what_is_no_longer_kept_is_said
    a_watcher_of_a_quiet_folder_is_never_behind
    of_two_writers_one_wins
    many_at_once_have_outcomes_of_their_own
    a_closed_store_ends_its_watches
}

async fn put(store: &Arc<dyn Archive>, path: &str, value: &str) -> Revision {
    let transaction = Transaction::new().put(&key(path), value.to_owned());
    store.commit(transaction).await.unwrap()
}

async fn keys(store: &Arc<dyn Archive>, list: List) -> Vec<String> {
    let page = store.list(list).await.unwrap();
    page.entries.iter().map(|entry| entry.key.to_string()).collect()
}

/// The next commit, or a failure when none comes.
async fn next(watch: &mut Watch) -> Option<Result<Commit, Error>> {
    tokio::time::timeout(Duration::from_secs(20), watch.next()).await.expect("a commit in time")
}

fn events(commit: &Commit) -> Vec<String> {
    let shown = |event: &Event| match event {
        Event::Put(entry) => format!("{}={}", entry.key, String::from_utf8_lossy(&entry.value)),
        Event::Deleted(key) => format!("-{key}"),
    };
    commit.events.iter().map(shown).collect()
}

async fn an_empty_store_has_nothing(Subject { store, .. }: Subject) {
    assert_eq!(store.revision().await.unwrap(), Revision::ZERO);
    assert_eq!(store.get(&key("/a")).await.unwrap(), None);
    let page = store.list(List::of(&prefix("/"))).await.unwrap();
    assert_eq!((page.entries.len(), page.more, page.revision), (0, false, Revision::ZERO));
}

async fn a_put_is_read_back_with_its_revisions(Subject { store, .. }: Subject) {
    let path = key("/portway/routes/shop");
    for (revision, value) in (1..=3).zip([&b"one"[..], b"", &[0, 159, 146, 150]]) {
        let value = Bytes::copy_from_slice(value);
        let answer = store.commit(Transaction::new().put(&path, value.clone())).await.unwrap();
        assert_eq!(answer, Revision(revision));
        assert_eq!(store.revision().await.unwrap(), answer);
        let (created, changed) = (Revision(1), Revision(revision));
        let entry = Entry { key: path.clone(), value, created, changed, version: revision };
        assert_eq!(store.get(&path).await.unwrap(), Some(entry.clone()));
        let page = store.list(List::of(&prefix("/portway/"))).await.unwrap();
        assert_eq!((page.entries, page.revision), (vec![entry], answer));
    }
}

async fn a_transaction_is_one_revision(Subject { store, .. }: Subject) {
    put(&store, "/b", "old").await;
    put(&store, "/c", "old").await;
    let transaction = Transaction::new()
        .expect(&key("/a"), Expect::Absent)
        .expect(&key("/b"), Expect::ChangedAt(Revision(1)))
        .expect(&key("/c"), Expect::Present)
        .put(&key("/a"), "new")
        .put(&key("/b"), "new")
        .delete(&key("/c"));
    assert_eq!(store.commit(transaction).await.unwrap(), Revision(3));
    let page = store.list(List::of(&prefix("/"))).await.unwrap();
    let stamps: Vec<_> =
        page.entries.iter().map(|e| (e.created.0, e.changed.0, e.version)).collect();
    assert_eq!(stamps, [(3, 3, 1), (1, 3, 2)]);
    assert_eq!(store.get(&key("/c")).await.unwrap(), None);
}

async fn a_refused_transaction_touches_nothing(Subject { store, .. }: Subject) {
    put(&store, "/a", "1").await;
    put(&store, "/b", "2").await;
    let wrong = [
        ("/a", Expect::Absent, Some(Revision(1))),
        ("/a", Expect::ChangedAt(Revision(2)), Some(Revision(1))),
        ("/x", Expect::Present, None),
        ("/x", Expect::ChangedAt(Revision(0)), None),
    ];
    for (path, expect, found) in wrong {
        let transaction = Transaction::new()
            .expect(&key("/b"), Expect::ChangedAt(Revision(2)))
            .expect(&key(path), expect)
            .put(&key("/new"), "value")
            .delete(&key("/b"));
        let Err(Error::Conflict(conflict)) = store.commit(transaction).await else {
            panic!("{path} {expect:?} was met")
        };
        assert_eq!(conflict.revision, Revision(2));
        let [mismatch] = &conflict.mismatches[..] else { panic!("{conflict:?}") };
        assert_eq!((mismatch.key.as_str(), mismatch.expected), (path, expect));
        assert_eq!(mismatch.found, found);
    }
    assert_eq!(keys(&store, List::of(&prefix("/"))).await, ["/a", "/b"]);
    assert_eq!(store.revision().await.unwrap(), Revision(2));
}

async fn what_changes_nothing_makes_no_revision(Subject { store, .. }: Subject) {
    put(&store, "/a", "1").await;
    let unchanged = [
        Transaction::new(),
        Transaction::new().expect(&key("/a"), Expect::Present),
        Transaction::new().delete(&key("/x")).delete_below(&prefix("/y/")),
    ];
    for transaction in unchanged {
        assert_eq!(store.commit(transaction).await.unwrap(), Revision(1));
    }
    // The same value is a change all the same: somebody wrote it.
    assert_eq!(put(&store, "/a", "1").await, Revision(2));
}

async fn a_key_put_anew_was_made_anew(Subject { store, .. }: Subject) {
    put(&store, "/a", "1").await;
    put(&store, "/a", "2").await;
    store.commit(Transaction::new().delete(&key("/a"))).await.unwrap();
    put(&store, "/a", "3").await;
    let entry = store.get(&key("/a")).await.unwrap().unwrap();
    assert_eq!((entry.created, entry.changed, entry.version), (Revision(4), Revision(4), 1));
}

async fn four(store: &Arc<dyn Archive>) {
    for path in ["/f/b", "/f/a", "/f/d", "/f/c", "/e/z", "/f0", "/g"] {
        put(store, path, path).await;
    }
}

async fn lists_are_cut_and_go_on(Subject { store, .. }: Subject) {
    four(&store).await;
    let list = || List::of(&prefix("/f/"));
    assert_eq!(keys(&store, list()).await, ["/f/a", "/f/b", "/f/c", "/f/d"]);
    let page = store.list(list().limit(3)).await.unwrap();
    assert!(page.more);
    let last = &page.entries[2].key;
    let page = store.list(list().limit(3).after(last)).await.unwrap();
    assert_eq!((page.entries.len(), page.more), (1, false));
    assert!(!store.list(list().limit(4)).await.unwrap().more);
    let none = store.list(list().limit(0)).await.unwrap();
    assert_eq!((none.entries.len(), none.more), (0, true));
    // What it goes on after need not exist, nor lie in the folder.
    for (after, first) in
        [("/f/aa", Some("/f/b")), ("/a", Some("/f/a")), ("/f/d", None), ("/f0", None), ("/z", None)]
    {
        let found = keys(&store, list().after(&key(after))).await;
        assert_eq!(found.first().map(String::as_str), first, "after {after}");
    }
    assert_eq!(keys(&store, List::of(&prefix("/"))).await.len(), 7);
}

async fn lists_are_cut_by_their_bytes(Subject { store, .. }: Subject) {
    four(&store).await;
    let page = async |bytes| {
        let page = store.list(List::of(&prefix("/f/")).bytes(bytes)).await.unwrap();
        (page.entries.len(), page.more)
    };
    for (bytes, found) in
        [(0, (1, true)), (8, (2, true)), (11, (2, true)), (12, (3, true)), (16, (4, false))]
    {
        assert_eq!(page(bytes).await, found, "{bytes} bytes");
    }
    let both = List::of(&prefix("/f/")).bytes(12).limit(2);
    assert_eq!(keys(&store, both).await, ["/f/a", "/f/b"]);
}

async fn lists_go_backwards(Subject { store, .. }: Subject) {
    four(&store).await;
    let list = || List::of(&prefix("/f/")).backwards();
    assert_eq!(keys(&store, list()).await, ["/f/d", "/f/c", "/f/b", "/f/a"]);
    let page = store.list(list().limit(2)).await.unwrap();
    assert!(page.more);
    let rest = keys(&store, list().after(&page.entries[1].key)).await;
    assert_eq!(rest, ["/f/b", "/f/a"]);
    for (after, first) in
        [("/f/aa", Some("/f/a")), ("/z", Some("/f/d")), ("/f/a", None), ("/a", None)]
    {
        let found = keys(&store, list().after(&key(after))).await;
        assert_eq!(found.first().map(String::as_str), first, "after {after}");
    }
}

async fn a_folder_is_deleted_alone(Subject { store, .. }: Subject) {
    four(&store).await;
    let mut watch = store.watch(&prefix("/"), Revision(8)).await.unwrap();
    let transaction = Transaction::new().delete_below(&prefix("/f/")).put(&key("/f0"), "kept");
    store.commit(transaction).await.unwrap();
    assert_eq!(keys(&store, List::of(&prefix("/"))).await, ["/e/z", "/f0", "/g"]);
    let commit = next(&mut watch).await.unwrap().unwrap();
    assert_eq!(events(&commit), ["-/f/a", "-/f/b", "-/f/c", "-/f/d", "/f0=kept"]);
}

async fn limits_are_stated_and_kept(Subject { store, .. }: Subject) {
    let limits = store.limits();
    let largest = Bytes::from(vec![7; limits.value]);
    let path = key("/large");
    store.commit(Transaction::new().put(&path, largest.clone())).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().unwrap().value, largest);

    let numbered = |count: usize| (0..count).map(|n| key(&format!("/n/{n}")));
    let puts = numbered(limits.operations + 1).fold(Transaction::new(), |t, key| t.put(&key, ""));
    let comparisons = numbered(limits.operations + 1)
        .fold(Transaction::new(), |t, key| t.expect(&key, Expect::Absent));
    let enough = limits.transaction / limits.value + 1;
    let heavy = numbered(enough).fold(Transaction::new(), |t, key| t.put(&key, largest.clone()));
    let long = Transaction::new().put(&path, vec![7; limits.value + 1]);
    for transaction in [puts, comparisons, heavy, long] {
        let refused = store.commit(transaction).await;
        assert!(
            matches!(&refused, Err(Error::TooLarge { size, limit, .. }) if size > limit),
            "{refused:?}"
        );
    }
    assert_eq!(store.revision().await.unwrap(), Revision(1));
    let puts = numbered(limits.operations).fold(Transaction::new(), |t, key| t.put(&key, ""));
    assert_eq!(store.commit(puts).await.unwrap(), Revision(2));
}

async fn a_key_is_written_once(Subject { store, .. }: Subject) {
    let a = key("/f/a");
    let twice = [
        Transaction::new().put(&a, "1").put(&a, "2"),
        Transaction::new().put(&a, "1").put(&key("/f/b"), "2").delete(&a),
        Transaction::new().put(&a, "1").delete_below(&prefix("/f/")),
        Transaction::new().put(&key("/e"), "1").delete_below(&prefix("/")),
        Transaction::new().delete_below(&prefix("/f/")).delete_below(&prefix("/f/g/")),
    ];
    for transaction in twice {
        let refused = store.commit(transaction).await;
        assert!(matches!(&refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert_eq!(store.revision().await.unwrap(), Revision::ZERO);
}

async fn a_watch_shows_whole_commits_in_order(Subject { store, .. }: Subject) {
    let mut all = store.watch(&prefix("/"), Revision(1)).await.unwrap();
    let mut folder = store.watch(&prefix("/f/"), Revision(1)).await.unwrap();
    put(&store, "/f/a", "1").await;
    put(&store, "/other", "2").await;
    let both =
        Transaction::new().put(&key("/f/b"), "3").delete(&key("/f/a")).delete(&key("/other"));
    store.commit(both).await.unwrap();
    for expected in [&["/f/a=1"][..], &["/other=2"], &["-/f/a", "/f/b=3", "-/other"]] {
        assert_eq!(events(&next(&mut all).await.unwrap().unwrap()), expected);
    }
    for (revision, expected) in [(1, &["/f/a=1"][..]), (3, &["-/f/a", "/f/b=3"])] {
        let commit = next(&mut folder).await.unwrap().unwrap();
        assert_eq!((commit.revision, events(&commit)), (Revision(revision), to_strings(expected)));
    }
}

fn to_strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

async fn a_watch_from_the_past_misses_nothing(Subject { store, .. }: Subject) {
    put(&store, "/a", "1").await;
    let page = store.list(List::of(&prefix("/"))).await.unwrap();
    put(&store, "/a", "2").await;
    let mut first = store.watch(&prefix("/"), page.revision.next()).await.unwrap();
    assert_eq!(events(&next(&mut first).await.unwrap().unwrap()), ["/a=2"]);
    // Given up, and taken up again where it was.
    let from = first.resume();
    drop(first);
    put(&store, "/a", "3").await;
    put(&store, "/a", "4").await;
    let mut second = store.watch(&prefix("/"), from).await.unwrap();
    for expected in ["/a=3", "/a=4"] {
        assert_eq!(events(&next(&mut second).await.unwrap().unwrap()), [expected]);
    }
}

async fn a_watch_waits_for_the_future(Subject { store, .. }: Subject) {
    let mut watch = store.watch(&prefix("/"), Revision(3)).await.unwrap();
    let waiting = tokio::spawn(async move { next(&mut watch).await.unwrap().unwrap() });
    for value in ["1", "2", "3"] {
        put(&store, "/a", value).await;
    }
    assert_eq!(events(&waiting.await.unwrap()), ["/a=3"]);
}

async fn what_is_no_longer_kept_is_said(Subject { store, .. }: Subject) {
    let mut slow = store.watch(&prefix("/"), Revision(1)).await.unwrap();
    for n in 0..=KEPT {
        put(&store, "/a", &n.to_string()).await;
    }
    let too_old = store.watch(&prefix("/"), Revision(1)).await;
    let Err(Error::Compacted { asked: Revision(1), oldest }) = too_old else {
        panic!("{too_old:?}")
    };
    assert_eq!(oldest, Revision(2));
    let behind = next(&mut slow).await;
    assert!(matches!(behind, Some(Err(Error::Compacted { .. }))), "{behind:?}");
    assert!(next(&mut slow).await.is_none());
    let mut kept = store.watch(&prefix("/"), oldest).await.unwrap();
    assert_eq!(next(&mut kept).await.unwrap().unwrap().revision, oldest);
}

async fn a_watcher_of_a_quiet_folder_is_never_behind(Subject { store, .. }: Subject) {
    let mut watch = store.watch(&prefix("/quiet/"), Revision(1)).await.unwrap();
    let watching = tokio::spawn(async move {
        let commit = next(&mut watch).await.unwrap().unwrap();
        (commit, next(&mut watch).await.unwrap().unwrap())
    });
    put(&store, "/quiet/a", "1").await;
    // More than is kept, with a turn for the watcher after each.
    for n in 0..KEPT * 3 {
        put(&store, "/loud", &n.to_string()).await;
        tokio::task::yield_now().await;
    }
    put(&store, "/quiet/a", "2").await;
    let (first, second) = watching.await.unwrap();
    assert_eq!(
        (events(&first), events(&second)),
        (to_strings(&["/quiet/a=1"]), to_strings(&["/quiet/a=2"]))
    );
}

async fn of_two_writers_one_wins(Subject { store, .. }: Subject) {
    let path: Key = key("/a");
    let mut seen = put(&store, "/a", "start").await;
    for _ in 0..50 {
        let race = |name: &'static str| {
            let (store, path) = (Arc::clone(&store), path.clone());
            let transaction =
                Transaction::new().expect(&path, Expect::ChangedAt(seen)).put(&path, name);
            tokio::spawn(async move { store.commit(transaction).await })
        };
        let (left, right) = (race("left"), race("right"));
        let answers = [("left", left.await.unwrap()), ("right", right.await.unwrap())];
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.is_ok());
        let ([(name, Ok(revision))], [(_, Err(Error::Conflict(conflict)))]) = (&won[..], &lost[..])
        else {
            panic!("{answers:?}")
        };
        assert_eq!(conflict.mismatches[0].found, Some(*revision));
        assert_eq!(*revision, seen.next());
        let entry = store.get(&path).await.unwrap().unwrap();
        assert_eq!((&entry.value[..], entry.changed), (name.as_bytes(), *revision));
        seen = *revision;
    }
}

async fn many_at_once_have_outcomes_of_their_own(Subject { store, .. }: Subject) {
    let mut watch = store.watch(&prefix("/"), Revision(1)).await.unwrap();
    let commits = (0..200).map(|n| {
        let store = Arc::clone(&store);
        let own = Transaction::new().put(&key(&format!("/own/{n}")), "");
        let shared = key("/shared");
        let transaction =
            if n % 2 == 0 { own } else { own.expect(&shared, Expect::Absent).put(&shared, "") };
        tokio::spawn(async move { store.commit(transaction).await })
    });
    let commits: Vec<_> = commits.collect();
    let mut revisions = Vec::new();
    let mut refused = 0;
    for commit in commits {
        match commit.await.unwrap() {
            Ok(revision) => revisions.push(revision),
            Err(Error::Conflict(_)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=101).map(Revision).collect::<Vec<_>>());
    assert_eq!(refused, 99);
    assert_eq!(keys(&store, List::of(&prefix("/own/"))).await.len(), 101);
    // Only a few revisions are kept, and this watcher was busy elsewhere.
    let behind = next(&mut watch).await;
    assert!(matches!(behind, Some(Err(Error::Compacted { .. }))), "{behind:?}");
}

async fn a_closed_store_ends_its_watches(Subject { store, .. }: Subject) {
    let mut watch = store.watch(&prefix("/"), Revision(1)).await.unwrap();
    put(&store, "/a", "1").await;
    drop(store);
    assert_eq!(events(&next(&mut watch).await.unwrap().unwrap()), ["/a=1"]);
    assert!(next(&mut watch).await.is_none());
}
