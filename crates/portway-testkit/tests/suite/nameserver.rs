//! The name server, asked by a real resolver.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use portway_testkit::{DEADLINE, NameServer};

/// A resolver that asks only this server, keeps nothing, and tries once.
fn resolver(dns: &NameServer, timeout: Duration) -> TokioResolver {
    let mut connection = ConnectionConfig::udp();
    connection.port = dns.addr().port();
    let server = NameServerConfig::new(dns.addr().ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.attempts = 0;
    options.timeout = timeout;
    builder.build().unwrap()
}

async fn addrs(resolver: &TokioResolver, name: &str) -> Vec<IpAddr> {
    let mut addrs: Vec<IpAddr> = resolver.lookup_ip(name).await.unwrap().iter().collect();
    addrs.sort_unstable();
    addrs
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn answers_change_when_the_test_says_so() {
    let dns = NameServer::start().await.unwrap();
    let resolver = resolver(&dns, DEADLINE);
    dns.set("Accounts.test", &ips(&["127.0.0.1", "127.0.0.2"]), Duration::from_secs(7));
    assert_eq!(addrs(&resolver, "accounts.test.").await, ips(&["127.0.0.1", "127.0.0.2"]));
    let lookup = resolver.ipv4_lookup("accounts.test.").await.unwrap();
    assert!(lookup.answers().iter().all(|record| record.ttl == 7));

    dns.set("accounts.test", &ips(&["127.0.0.3"]), Duration::ZERO);
    assert_eq!(addrs(&resolver, "accounts.test.").await, ips(&["127.0.0.3"]));
    assert_eq!(dns.queries_for("other.test"), 0);
    assert!(dns.queries() >= 3 && dns.queries() == dns.queries_for("ACCOUNTS.test."));
}

#[tokio::test]
async fn both_address_families_are_answered() {
    let dns = NameServer::start().await.unwrap();
    dns.set("six.test", &ips(&["::1", "127.0.0.1"]), Duration::from_secs(1));
    let resolver = resolver(&dns, DEADLINE);
    let six = resolver.ipv6_lookup("six.test.").await.unwrap();
    assert_eq!(six.answers().len(), 1);
    let four = resolver.ipv4_lookup("six.test.").await.unwrap();
    assert_eq!(four.answers().len(), 1);
}

#[tokio::test]
async fn names_can_be_missing_failing_or_silent() {
    let dns = NameServer::start().await.unwrap();
    let resolver = resolver(&dns, DEADLINE);
    dns.set("gone.test", &ips(&["127.0.0.1"]), Duration::ZERO);
    dns.remove("gone.test");
    let error = resolver.lookup_ip("gone.test.").await.unwrap_err();
    assert!(error.is_nx_domain(), "{error}");

    dns.fail("broken.test");
    let error = resolver.lookup_ip("broken.test.").await.unwrap_err();
    assert!(!error.is_nx_domain() && !error.is_no_records_found(), "{error}");

    dns.ignore("silent.test");
    let hasty = self::resolver(&dns, Duration::from_millis(100));
    let error = hasty.lookup_ip("silent.test.").await.unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
    assert!(dns.queries_for("silent.test") >= 1);
}
