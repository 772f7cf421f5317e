//! Listeners are opened and closed by reloads, all at once or not at all, and nobody who connected
//! is sent away.

use std::{
    collections::HashSet,
    io,
    net::{SocketAddr, TcpListener},
};

use portway_testkit::{
    Client, Echo, RawClient, eventually,
    process::{Signal, free_addr},
};

use crate::fixture::{Gateway, service};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Listeners of these names and addresses, each with more keys.
fn listeners(all: &[(&str, SocketAddr, &str)]) -> String {
    let each =
        all.iter().map(|(name, bind, more)| format!("{{name: {name}, bind: \"{bind}\"{more}}}"));
    format!("listeners: [{}]\n", each.collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn a_listener_comes_and_goes_beside_one_that_stays() -> io::Result<()> {
    let echo = Echo::start().await?;
    let (stays, goes) = (free_addr()?, free_addr()?);
    let with = |all: &[(&str, SocketAddr, &str)]| listeners(all) + &service(&echo.url(), "");
    let (one, both) = (&[("web", stays, "")][..], &[("web", stays, ""), ("more", goes, "")][..]);
    let gateway = Gateway::start(&with(one)).await?;
    let kept = Client::h1(stays);
    assert_eq!(kept.get("/").await?.status, 200);
    for _ in 0..3 {
        gateway.reload(&with(both)).await?;
        assert_eq!(Client::h1(goes).get("/").await?.status, 200);
        gateway.reload(&with(one)).await?;
        assert!(!gateway.process.listening()?.contains(&goes));
        assert_eq!(kept.get("/").await?.status, 200);
    }
    assert_eq!(kept.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn a_reload_that_cannot_have_a_port_changes_nothing_at_all() -> io::Result<()> {
    let echo = Echo::start().await?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let (web, more, taken_addr) = (free_addr()?, free_addr()?, taken.local_addr()?);
    let gateway =
        Gateway::start(&(listeners(&[("web", web, "")]) + &service(&echo.url(), ""))).await?;
    let before: HashSet<_> = gateway.process.listening()?.into_iter().collect();
    let (client, probes) = (Client::h1(web), gateway.probes());
    assert_eq!(client.get("/").await?.status, 200);
    let wanted = listeners(&[("web", web, ""), ("more", more, ""), ("taken", taken_addr, "")]);
    let log = gateway.reload(&format!("{wanted}routes: []")).await.expect_err("a port is taken");
    assert!(log.to_string().contains(&taken_addr.to_string()), "{log}");
    assert_eq!(client.get("/").await?.status, 200);
    assert_eq!(client.connections(), 1);
    assert_eq!(gateway.process.listening()?.into_iter().collect::<HashSet<_>>(), before);
    assert_eq!(Client::h1(probes).get("/readyz").await?.status, 200);
    // The same file, once the port is free.
    drop(taken);
    gateway.after(|| gateway.process.signal(Signal::HUP)).await?;
    for address in [web, more, taken_addr] {
        assert_eq!(Client::h1(address).get("/").await?.status, 404, "{address}");
    }
    Ok(())
}

#[tokio::test]
async fn connections_that_wait_when_their_listener_is_closed_are_served() -> io::Result<()> {
    let echo = Echo::start().await?;
    let (stays, goes) = (free_addr()?, free_addr()?);
    let routes = service(&echo.url(), "");
    let one_at_a_time = ", limits: {connections: 1}";
    let both = listeners(&[("web", stays, ""), ("goes", goes, one_at_a_time)]);
    let gateway = Gateway::start(&(both + &routes)).await?;
    let mut served = RawClient::connect(goes).await?;
    assert_eq!(served.exchange(GET).await?.status, 200);
    let mut waiting = Vec::new();
    for _ in 0..6 {
        let mut client = RawClient::connect(goes).await?;
        client.send(GET).await?;
        waiting.push(client);
    }
    assert_eq!(echo.requests(), 1);
    gateway.reload(&(listeners(&[("web", stays, "")]) + &routes)).await?;
    for mut client in waiting {
        let answer = client.read_response().await?;
        assert_eq!((answer.status, answer.headers.get("connection")), (200, Some("close")));
    }
    assert!(!gateway.process.listening()?.contains(&goes));
    assert!(RawClient::connect(goes).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_closed_listener_finishes_its_requests_and_lets_idle_clients_go() -> io::Result<()> {
    let echo = Echo::start().await?;
    let (stays, goes) = (free_addr()?, free_addr()?);
    let routes = service(&echo.url(), "");
    let both = listeners(&[("web", stays, ""), ("goes", goes, "")]);
    let gateway = Gateway::start(&(both + &routes)).await?;
    let mut idle = RawClient::connect(goes).await?;
    assert_eq!(idle.exchange(GET).await?.status, 200);
    let mut slow = RawClient::connect(goes).await?;
    slow.send("GET /slow?wait=500ms HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    eventually("the slow request is at the upstream", || echo.requests() == 2).await?;
    gateway.reload(&(listeners(&[("web", stays, "")]) + &routes)).await?;
    idle.expect_closed().await?;
    assert_eq!(slow.read_response().await?.status, 200);
    slow.expect_closed().await?;
    let record = gateway.record("/slow").await?;
    assert_eq!((&record["listener"], &record["status"]), (&"goes".into(), &200.into()));
    Ok(())
}

#[tokio::test]
async fn limits_of_a_listener_that_stays_change_with_a_reload() -> io::Result<()> {
    let echo = Echo::start().await?;
    let (web, routes) = (free_addr()?, service(&echo.url(), ""));
    let limited = |limits: &str| listeners(&[("web", web, limits)]) + &routes;
    let gateway = Gateway::start(&limited(", limits: {connections: 1, uri: 64B}")).await?;
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(100));
    let mut first = RawClient::connect(web).await?;
    assert_eq!(first.exchange(GET).await?.status, 200);
    let mut second = RawClient::connect(web).await?;
    second.send(GET).await?;
    // The connection that is open and the one that waits both meet the new limits.
    gateway.reload(&limited(", limits: {connections: 2, uri: 1KiB}")).await?;
    assert_eq!(second.read_response().await?.status, 200);
    assert_eq!(first.exchange(&long).await?.status, 200);
    // And a lower one: the third connection waits until one has left.
    gateway.reload(&limited(", limits: {connections: 1, uri: 64B}")).await?;
    let mut third = RawClient::connect(web).await?;
    third.send(GET).await?;
    assert_eq!(first.exchange(&long).await?.status, 414);
    assert_eq!(second.exchange(GET).await?.status, 200);
    assert_eq!(gateway.metric("portway_connections_accepted_total", &["web"]).await?, 2.0);
    drop((first, second));
    assert_eq!(third.read_response().await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn listeners_without_a_port_of_their_own_do_not_get_in_each_others_way() -> io::Result<()> {
    let routes = "routes: [{name: all, target: {reply: {}}}]";
    let any = "127.0.0.1:0".parse().map_err(io::Error::other)?;
    let two = listeners(&[("one", any, ""), ("two", any, "")]);
    let gateway = Gateway::start(&format!("{two}{routes}")).await?;
    let addresses = [gateway.listener("one"), gateway.listener("two")];
    gateway.reload(&format!("{two}{routes}\n# again")).await?;
    for address in addresses {
        assert_eq!(Client::h1(address).get("/").await?.status, 200);
    }
    assert_eq!(gateway.listener("two"), addresses[1]);
    let one = listeners(&[("one", any, "")]);
    gateway.reload(&format!("{one}{routes}")).await?;
    assert_eq!(Client::h1(addresses[0]).get("/").await?.status, 200);
    assert!(!gateway.process.listening()?.contains(&addresses[1]));
    Ok(())
}

#[tokio::test]
async fn a_listener_moves_between_all_addresses_and_one() -> io::Result<()> {
    let web = free_addr()?;
    let everywhere = SocketAddr::from(([0, 0, 0, 0], web.port()));
    let routes = "routes: [{name: all, target: {reply: {}}}]";
    let on = |address| format!("{}{routes}", listeners(&[("web", address, "")]));
    let gateway = Gateway::start(&on(everywhere)).await?;
    for address in [web, everywhere, web] {
        gateway.reload(&on(address)).await?;
        assert_eq!(gateway.listener("web"), address);
        assert_eq!(Client::h1(web).get("/").await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn the_probes_move_with_a_reload() -> io::Result<()> {
    let gateway = Gateway::start("routes: []").await?;
    let (old, new) = (gateway.probes(), free_addr()?);
    gateway.reload(&format!("probes: {{bind: \"{new}\"}}\nroutes: []")).await?;
    assert_eq!(Client::h1(new).get("/readyz").await?.status, 200);
    assert!(!gateway.process.listening()?.contains(&old));
    gateway.reload("probes: {enabled: false}\nroutes: []").await?;
    assert_eq!(gateway.process.listening()?, [gateway.addr()]);
    Ok(())
}
