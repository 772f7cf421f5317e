//! TLS that is ended for some names and passed on for others, on one port.

use std::{collections::BTreeSet, io};

use portway_testkit::{
    Client, Echo,
    tls::{Authority, ClientTls, ServerTls},
};

use super::{Issuer, secure};
use crate::fixture::Gateway;

#[tokio::test]
async fn one_port_ends_tls_for_its_own_names_and_passes_on_the_rest() -> io::Result<()> {
    let (issuer, behind) = (Issuer::new()?, Authority::new()?);
    let shown = ServerTls::new(&behind.issue(&["pass.example", "www.pass.example"])?);
    let echo = Echo::anywhere().await?.tls(&shown.alpn(&["h2", "http/1.1"]))?;
    let echo = echo.named("behind").spawn();
    let pair = issuer.pair(&["own.example", "pass.example"])?;
    let gateway = Gateway::start(&secure(
        &format!("certificates: [{pair}]"),
        &format!(
            "services: [{{name: up, url: \"tcp://{}\"}}]
routes:
  - {{name: own, target: {{reply: {{body: own}}}}}}
  - {{name: way, protocol: tls, listeners: [web], \
     match: {{sni: [pass.example, \"*.pass.example\"]}}, target: {{service: up}}}}",
            echo.addr()
        ),
    ))
    .await?;
    let passed = |name: &str| ClientTls::trusting(&behind).server_name(name);
    for alpn in ["h2", "http/1.1"] {
        let own = Client::https(gateway.addr(), &issuer.client("own.example").alpn(&[alpn]));
        assert_eq!(own.get("/").await?.text(), "own", "{alpn}");
        for name in ["pass.example", "www.pass.example"] {
            let client = Client::https(gateway.addr(), &passed(name).alpn(&[alpn]));
            let answer = client.get("/x").await?.answer()?;
            assert_eq!(answer.name.as_deref(), Some("behind"), "{name} {alpn}");
            // Nobody has opened it on the way.
            assert_eq!(answer.header("x-forwarded-for"), None, "{name} {alpn}");
            let tls = answer.tls.expect("it came over TLS");
            assert_eq!(tls.server_name.as_deref(), Some(name), "{alpn}");
        }
    }
    // The certificate here has the name as well, and yet nobody is shown it.
    let fooled = Client::https(gateway.addr(), &issuer.client("pass.example"));
    assert!(fooled.get("/").await.is_err());
    // What was opened for one of its own names gets no further by another `Host`.
    let own = Client::https(gateway.addr(), &issuer.client("own.example"));
    let request = http::Request::get("/").header("host", "pass.example").body(String::new());
    let answer = own.request(request.map_err(io::Error::other)?).await?;
    assert_eq!(answer.text(), "own");
    let records = gateway.records(8).await?;
    let passed = records.iter().filter(|record| record["protocol"] == "tls");
    let names: BTreeSet<_> = passed.map(|record| record["sni"].as_str()).collect();
    assert_eq!(names, BTreeSet::from([Some("pass.example"), Some("www.pass.example")]));
    Ok(())
}
