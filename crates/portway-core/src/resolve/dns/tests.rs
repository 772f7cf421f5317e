//! Watching names at a real name server.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use portway_testkit::{DEADLINE, NameServer, within};
use tokio::{runtime::Handle, time::Instant};

use super::{
    super::{
        Resolver,
        name::{Name, State},
        timing::Timing,
    },
    Servers,
};

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);

/// A resolver that asks only this name server, and knows no search list whatever this machine's
/// is. Answers are asked for again at once, for tests that do not look at the time.
fn resolver(dns: &NameServer) -> Resolver {
    let timing = Timing { min_ttl: Duration::from_millis(20), max_ttl: DAY };
    resolver_with(dns, timing, Path::new("/nowhere"))
}

fn resolver_with(dns: &NameServer, timing: Timing, files: &Path) -> Resolver {
    let stubs =
        Servers::with_files(vec![dns.addr()], files.join("hosts"), files.join("resolv.conf"));
    Resolver::with_servers(stubs, timing, Handle::current())
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

async fn ready(name: &Name) -> bool {
    name.ready(Instant::now() + DEADLINE).await
}

/// Waits for a state of the name.
async fn becomes(name: &Name, state: State) {
    let mut states = name.states();
    within(DEADLINE, "change of state", async {
        Ok(states.wait_for(|now| *now == state).await.is_ok())
    })
    .await
    .unwrap();
}

/// Waits until the answer has these addresses.
async fn answers(name: &Name, addresses: &[&str]) {
    let addresses = ips(addresses);
    portway_testkit::eventually("the name's addresses", || *name.answer().addresses == *addresses)
        .await
        .unwrap();
}

#[tokio::test]
async fn all_addresses_of_a_name_are_used() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.3", "127.0.0.1", "127.0.0.2"]), DAY);
    let name = resolver(&dns).watch("db.test");
    assert!(ready(&name).await);
    assert_eq!(*name.answer().addresses, ips(&["127.0.0.1", "127.0.0.2", "127.0.0.3"]));
    assert_eq!(name.state(), State::Fresh);
}

#[tokio::test]
async fn a_name_with_only_ipv6_addresses_resolves() {
    let dns = NameServer::start().await.unwrap();
    dns.set("six.test", &ips(&["2001:db8::1", "::1"]), DAY);
    let name = resolver(&dns).watch("six.test");
    assert!(ready(&name).await);
    assert_eq!(*name.answer().addresses, ips(&["::1", "2001:db8::1"]));
}

#[tokio::test]
async fn a_changed_answer_is_seen() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.1"]), Duration::ZERO);
    let name = resolver(&dns).watch("db.test");
    answers(&name, &["127.0.0.1"]).await;
    dns.set("db.test", &ips(&["127.0.0.2", "127.0.0.3"]), Duration::ZERO);
    answers(&name, &["127.0.0.2", "127.0.0.3"]).await;
}

#[tokio::test]
async fn an_answer_is_asked_for_again_as_its_time_to_live_says() {
    let dns = NameServer::start().await.unwrap();
    dns.set("short.test", &ips(&["127.0.0.1"]), SECOND);
    dns.set("long.test", &ips(&["127.0.0.2"]), DAY);
    let resolver = resolver(&dns);
    let (short, long) = (resolver.watch("short.test"), resolver.watch("long.test"));
    assert!(ready(&short).await && ready(&long).await);
    let answered = Instant::now();

    dns.set("short.test", &ips(&["127.0.0.3"]), SECOND);
    dns.set("long.test", &ips(&["127.0.0.4"]), SECOND);
    answers(&short, &["127.0.0.3"]).await;
    // The first answer came a little before it was seen here.
    assert!(answered.elapsed() > SECOND * 9 / 10, "asked again after {:?}", answered.elapsed());
    assert_eq!(dns.queries_for("short.test"), 4, "A and AAAA, twice");
    assert_eq!(dns.queries_for("long.test"), 2, "A and AAAA, once");
    assert_eq!(*long.answer().addresses, ips(&["127.0.0.2"]));
}

#[tokio::test]
async fn the_longest_time_bounds_the_time_to_live() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.1"]), DAY);
    let timing = Timing { min_ttl: Duration::ZERO, max_ttl: Duration::from_millis(50) };
    let name = resolver_with(&dns, timing, Path::new("/nowhere")).watch("db.test");
    answers(&name, &["127.0.0.1"]).await;
    dns.set("db.test", &ips(&["127.0.0.2"]), DAY);
    answers(&name, &["127.0.0.2"]).await;
}

#[tokio::test]
async fn the_last_answer_is_kept_while_the_name_server_fails() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.1"]), Duration::ZERO);
    let name = resolver(&dns).watch("db.test");
    answers(&name, &["127.0.0.1"]).await;
    dns.fail("db.test");
    becomes(&name, State::Stale).await;
    assert_eq!(*name.answer().addresses, ips(&["127.0.0.1"]));
    dns.set("db.test", &ips(&["127.0.0.2"]), Duration::ZERO);
    becomes(&name, State::Fresh).await;
    assert_eq!(*name.answer().addresses, ips(&["127.0.0.2"]));
}

#[tokio::test]
async fn the_last_answer_is_kept_when_the_name_server_dies() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.1"]), Duration::ZERO);
    let name = resolver(&dns).watch("db.test");
    answers(&name, &["127.0.0.1"]).await;
    drop(dns);
    becomes(&name, State::Stale).await;
    assert_eq!(*name.answer().addresses, ips(&["127.0.0.1"]));
}

#[tokio::test]
async fn the_last_answer_is_kept_when_a_name_ceases_to_exist_for_a_moment() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.1"]), Duration::ZERO);
    let name = resolver(&dns).watch("db.test");
    answers(&name, &["127.0.0.1"]).await;
    dns.remove("db.test");
    becomes(&name, State::Stale).await;
    assert_eq!(*name.answer().addresses, ips(&["127.0.0.1"]));
}

#[tokio::test]
async fn a_name_that_does_not_exist_at_first_is_found_when_it_does() {
    let dns = NameServer::start().await.unwrap();
    let name = resolver(&dns).watch("late.test");
    assert!(!ready(&name).await, "the first look-up ends the wait");
    assert_eq!(name.state(), State::Unresolved);
    dns.set("late.test", &ips(&["127.0.0.1"]), DAY);
    becomes(&name, State::Fresh).await;
    assert_eq!(*name.answer().addresses, ips(&["127.0.0.1"]));
}

#[tokio::test]
async fn waiting_for_the_first_answer_ends_at_its_deadline() {
    let dns = NameServer::start().await.unwrap();
    dns.ignore("silent.test");
    let name = resolver(&dns).watch("silent.test");
    assert!(!name.ready(Instant::now() + Duration::from_millis(50)).await);
    assert_eq!(name.state(), State::Pending);
}

#[tokio::test]
async fn one_name_is_watched_once_and_until_its_last_handle_goes() {
    let dns = NameServer::start().await.unwrap();
    dns.set("db.test", &ips(&["127.0.0.1"]), DAY);
    let resolver = resolver(&dns);
    let (one, other) = (resolver.watch("db.test"), resolver.watch("DB.test"));
    assert!(Arc::ptr_eq(&one, &other));
    assert!(ready(&one).await);
    drop(one);
    assert!(Arc::ptr_eq(&other, &resolver.watch("db.test")));
    drop(other);
    assert_eq!(resolver.watched(), 0);
    // Whoever comes later begins anew.
    assert!(ready(&resolver.watch("db.test")).await);
    assert_eq!(dns.queries_for("db.test"), 4);
}

#[tokio::test]
async fn a_name_that_is_let_go_is_not_asked_for_any_more() {
    let dns = NameServer::start().await.unwrap();
    dns.set("gone.test", &ips(&["127.0.0.1"]), Duration::ZERO);
    dns.set("kept.test", &ips(&["127.0.0.2"]), Duration::ZERO);
    let resolver = resolver(&dns);
    let (gone, kept) = (resolver.watch("gone.test"), resolver.watch("kept.test"));
    assert!(ready(&gone).await && ready(&kept).await);
    drop(gone);
    let asked = |name: &str| dns.queries_for(name);
    // What was under way when the handle went may still arrive.
    let (before, others) = (asked("gone.test"), asked("kept.test"));
    portway_testkit::eventually("more questions", || asked("kept.test") > others + 10)
        .await
        .unwrap();
    assert!(asked("gone.test") <= before + 2);
}

#[tokio::test]
async fn other_settings_begin_with_what_is_known() {
    let (old, new) = (NameServer::start().await.unwrap(), NameServer::start().await.unwrap());
    old.set("db.test", &ips(&["127.0.0.1"]), DAY);
    new.ignore("db.test");
    let before = resolver(&old);
    let name = before.watch("db.test");
    assert!(ready(&name).await);

    let server = new.addr().to_string().parse().unwrap();
    let settings = portway_config::Resolver { servers: vec![server], ..Default::default() };
    let after = before.succeeded_by(&settings);
    let again = after.watch("db.test");
    assert!(!Arc::ptr_eq(&name, &again));
    assert_eq!(*again.answer().addresses, ips(&["127.0.0.1"]));
    assert!(ready(&again).await);
    portway_testkit::eventually("a question to the new server", || new.queries() > 0)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_the_search_list_is_used() {
    let dns = NameServer::start().await.unwrap();
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("hosts"), "127.0.0.9 fixed.test\n").unwrap();
    let search = "search shop.test test\noptions ndots:2\n";
    std::fs::write(files.path().join("resolv.conf"), search).unwrap();
    dns.set("fixed.test", &ips(&["127.0.0.1"]), DAY);
    dns.set("db.test", &ips(&["127.0.0.2"]), DAY);
    let timing = Timing { min_ttl: SECOND, max_ttl: DAY };
    let resolver = resolver_with(&dns, timing, files.path());
    let (fixed, db) = (resolver.watch("fixed.test"), resolver.watch("db"));
    assert!(ready(&fixed).await && ready(&db).await);
    assert_eq!(*fixed.answer().addresses, ips(&["127.0.0.9"]));
    assert_eq!(*db.answer().addresses, ips(&["127.0.0.2"]));
    assert_eq!(dns.queries_for("fixed.test"), 0);
    assert_eq!((dns.queries_for("db.shop.test"), dns.queries_for("db.test")), (2, 2));
}

#[tokio::test]
async fn a_server_that_says_nothing_does_not_lead_to_another_name() {
    let dns = NameServer::start().await.unwrap();
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("resolv.conf"), "search a.test b.test\n").unwrap();
    dns.ignore("db.a.test");
    dns.set("db.b.test", &ips(&["127.0.0.66"]), DAY);
    let timing = Timing { min_ttl: SECOND, max_ttl: DAY };
    let name = resolver_with(&dns, timing, files.path()).watch("db");
    assert!(!ready(&name).await);
    assert_eq!(dns.queries_for("db.b.test"), 0);
}
