//! What the probe listener says about real traffic.

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
