//! Several endpoints, endpoints by name, endpoints that must not be reached.

use std::{collections::HashMap, io, net::IpAddr, time::Duration};

use portway_testkit::{
    Client, DEADLINE, Echo, eventually, nameserver::NameServer, raw::refused_addr, within,
};

use crate::fixture::{Gateway, service};

#[tokio::test]
async fn weights_are_exact_over_all_connections_and_cores() -> io::Result<()> {
    let (light, heavy) = (Echo::start().await?, Echo::start().await?);
    let gateway = Gateway::start_with(
        &format!(
            "services: [{{name: up, endpoints: [{{url: \"{}\", weight: 1}}, \
             {{url: \"{}\", weight: 3}}], routes: [{{name: all}}]}}]",
            light.url(),
            heavy.url()
        ),
        &["--cores", "2"],
    )
    .await?;
    for _ in 0..8 {
        let client = gateway.client();
        for _ in 0..5 {
            assert_eq!(client.get("/").await?.status, 200);
        }
    }
    assert_eq!((light.requests(), heavy.requests()), (10, 30));
    Ok(())
}

#[tokio::test]
async fn a_slow_endpoint_gets_fewer_requests_when_load_counts() -> io::Result<()> {
    let (one, two) = (Echo::start().await?, Echo::start().await?);
    let gateway = Gateway::start(&format!(
        "services: [{{name: up, balance: least_request, endpoints: [{{url: \"{}\"}}, \
         {{url: \"{}\"}}], routes: [{{name: all}}]}}]",
        one.url(),
        two.url()
    ))
    .await?;
    let slow = gateway.client();
    let held = tokio::spawn(async move { slow.get("/?wait=2s").await });
    eventually("one endpoint is busy", || one.requests() + two.requests() == 1).await?;
    let (busy, free) = if one.requests() == 1 { (&one, &two) } else { (&two, &one) };
    let client = gateway.client();
    for _ in 0..10 {
        client.get("/").await?;
    }
    assert_eq!((busy.requests(), free.requests()), (1, 10));
    held.abort();
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_passed_over_whatever_the_method() -> io::Result<()> {
    let (refused, echo) = (refused_addr()?, Echo::start().await?);
    let gateway = Gateway::start(&format!(
        "services: [{{name: up, endpoints: [{{url: \"http://{}\"}}, {{url: \"{}\"}}], \
         routes: [{{name: all}}]}}]",
        refused.addr(),
        echo.url()
    ))
    .await?;
    let client = gateway.client();
    for _ in 0..6 {
        let request = http::Request::post("/").body("x".to_owned()).map_err(io::Error::other)?;
        assert_eq!(client.request(request).await?.status, 200);
    }
    assert_eq!(echo.requests(), 6);
    Ok(())
}

#[tokio::test]
async fn a_name_is_followed_when_its_address_changes_and_kept_when_the_server_dies()
-> io::Result<()> {
    let names = NameServer::start().await?;
    let local = |last: u8| IpAddr::from([127, 0, 0, last]);
    let one = Echo::anywhere().await?.named("one");
    let port = one.addr().port();
    let two = Echo::bind(("127.0.0.2", port)).await?.named("two");
    let (one, two) = (one.spawn(), two.spawn());
    let gateway = Gateway::start(&format!(
        "resolver: {{servers: [\"{}\"], min_ttl: 50ms}}\n{}",
        names.addr(),
        service(&format!("http://up.test:{port}"), "")
    ))
    .await?;
    let client = gateway.client();
    // Not yet known: no endpoint, and the gateway runs all the same.
    let answer = client.get("/").await?;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("no_endpoint"), "{}", answer.text());
    names.set("up.test", &[local(1)], Duration::ZERO);
    until(&client, || one.requests() > 0).await?;
    names.set("up.test", &[local(2)], Duration::ZERO);
    until(&client, || two.requests() > 0).await?;
    drop(names);
    for _ in 0..5 {
        assert_eq!(client.get("/").await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn addresses_that_are_not_public_can_be_denied() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "deny_private_addresses: true,")).await?;
    assert_eq!(gateway.client().get("/").await?.status, 503);
    assert_eq!(echo.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn routes_can_split_their_traffic_over_services() -> io::Result<()> {
    let (now, next) = (Echo::start().await?, Echo::start().await?);
    let gateway = Gateway::start(&format!(
        "services: [{{name: now, url: \"{}\"}}, {{name: next, url: \"{}\"}}]\n\
         routes: [{{name: canary, target: {{services: [{{service: now, weight: 9}}, \
         {{service: next, weight: 1}}]}}}}]",
        now.url(),
        next.url()
    ))
    .await?;
    let client = gateway.client();
    for _ in 0..20 {
        client.get("/").await?;
    }
    let records = gateway.records(20).await?;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for record in &records {
        *counts.entry(record["service"].as_str().unwrap_or_default()).or_default() += 1;
    }
    assert_eq!((counts["now"], counts["next"]), (18, 2));
    Ok(())
}

/// Asks until `seen`, at most for as long as tests wait for anything.
async fn until(client: &Client, seen: impl Fn() -> bool) -> io::Result<()> {
    let asking = async {
        while !seen() {
            client.get("/").await?;
        }
        Ok(())
    };
    within(DEADLINE, "the name was followed", asking).await
}
