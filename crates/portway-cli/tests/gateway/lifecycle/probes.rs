//! What the probe listener and the access log say about real traffic.

use std::io;

use portway_testkit::{Client, Echo};

use crate::fixture::{Gateway, service};

#[tokio::test]
async fn probes_tell_health_readiness_version_and_what_was_counted() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let client = gateway.client();
    for _ in 0..5 {
        client.get("/a").await?;
    }
    client.get("/a?status=503").await?;
    gateway.records(6).await?;
    let probes = Client::h1(gateway.probes());
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(probes.get(path).await?.status, 200, "{path}");
    }
    let version = probes.get("/version").await?.text().into_owned();
    assert!(version.contains("\"version\"") && version.contains("\"commit\""), "{version}");
    let counted = async |status: &str| {
        let labels = ["route=\"all\"", "service=\"up\"", "method=\"GET\"", status];
        gateway.metric("portway_requests_total", &labels).await
    };
    assert_eq!(counted("status=\"200\"").await?, 5.0);
    assert_eq!(counted("status=\"503\"").await?, 1.0);
    Ok(())
}

#[tokio::test]
async fn a_record_names_everything_and_nothing_secret() -> io::Result<()> {
    let echo = Echo::start().await?;
    let gateway = Gateway::start(&service(&echo.url(), "")).await?;
    let mut raw = gateway.raw().await?;
    raw.exchange(
        "POST /x?token=secret1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: t\r\n\
         Authorization: Bearer secret2\r\nCookie: c=secret3\r\nContent-Length: 3\r\n\r\nabc",
    )
    .await?;
    let record = gateway.record("/x").await?;
    for (key, value) in [
        ("method", "POST"),
        ("scheme", "http"),
        ("host", "a.example"),
        ("protocol", "HTTP/1.1"),
        ("route", "all"),
        ("service", "up"),
        ("listener", "web"),
        ("client", "127.0.0.1"),
        ("user_agent", "t"),
    ] {
        assert_eq!(record[key], value, "{record}");
    }
    assert_eq!(
        (&record["status"], &record["bytes_in"], &record["tries"]),
        (&200.into(), &3.into(), &1.into())
    );
    for key in
        ["time", "bytes_out", "duration_ms", "upstream_duration_ms", "endpoint", "request_id"]
    {
        assert!(!record[key].is_null(), "{key} is not in {record}");
    }
    assert!(!record.to_string().contains("secret"), "{record}");
    Ok(())
}
