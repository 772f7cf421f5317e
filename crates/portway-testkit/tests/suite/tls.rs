//! Certificates, and servers and clients over TLS.

use std::process::Command;

use portway_testkit::raw::script;
use portway_testkit::tls::{
    Authority, ClientTls, Identity, Key, KeyForm, Order, Secured, ServerTls, Version,
};
use portway_testkit::{Client, Echo, RawClient, RawUpstream, RunningEcho, WebSocket};

async fn echo(tls: &ServerTls) -> RunningEcho {
    Echo::anywhere().await.unwrap().tls(tls).unwrap().spawn()
}

async fn ask(echo: &RunningEcho, tls: &ClientTls) -> Result<(String, Secured), String> {
    let response = Client::https(echo.addr(), tls).get("/").await;
    let answer = response.map_err(|error| error.to_string())?.answer().unwrap();
    Ok((answer.protocol, answer.tls.unwrap()))
}

/// What happens to a client of this identity that trusts this authority.
async fn meet(authority: &Authority, identity: &Identity) -> Result<(String, Secured), String> {
    let echo = echo(&ServerTls::new(identity)).await;
    ask(&echo, &ClientTls::trusting(authority).server_name("a.example")).await
}

#[tokio::test]
async fn both_sides_tell_what_was_agreed_on() {
    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["a.example", "*.b.example", "127.0.0.1"]).unwrap();
    let echo = echo(&ServerTls::new(&identity).alpn(&["h2", "http/1.1"])).await;
    let tls = ClientTls::trusting(&authority).server_name("x.b.example");

    let (protocol, secured) = ask(&echo, &tls.clone().alpn(&["http/1.1", "h2"])).await.unwrap();
    assert_eq!((protocol.as_str(), secured.alpn.as_deref()), ("HTTP/2.0", Some("h2")));
    assert_eq!(secured.version, "TLSv1.3");
    assert_eq!(secured.server_name.as_deref(), Some("x.b.example"));
    assert_eq!((secured.peer_subject, secured.resumed), (None, false));

    let (protocol, secured) = ask(&echo, &tls.clone().alpn(&["http/1.1"])).await.unwrap();
    assert_eq!((protocol.as_str(), secured.alpn.as_deref()), ("HTTP/1.1", Some("http/1.1")));
    let (_, secured) = ask(&echo, &tls.clone().only(Version::Tls12)).await.unwrap();
    assert_eq!((secured.version.as_str(), secured.alpn), ("TLSv1.2", None));
    let (_, secured) = ask(&echo, &tls.clone().without_sni()).await.unwrap();
    assert_eq!(secured.server_name, None);
    ask(&echo, &tls.clone().alpn(&["smtp"])).await.unwrap_err();

    // By its address, without a name.
    let client = Client::https(echo.addr(), &ClientTls::trusting(&authority));
    assert_eq!(client.get("/").await.unwrap().answer().unwrap().tls.unwrap().server_name, None);
    let secured = client.secured().unwrap();
    assert_eq!(secured.peer_names, ["a.example", "*.b.example", "127.0.0.1"]);
    assert_eq!(secured.peer_subject.as_deref(), Some("CN=a.example"));
    assert_eq!(echo.url(), format!("https://{}", echo.addr()));
}

#[tokio::test]
async fn a_second_connection_resumes_the_session() {
    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["a.example"]).unwrap();
    for version in [Version::Tls12, Version::Tls13] {
        let echo = echo(&ServerTls::new(&identity)).await;
        let tls = ClientTls::trusting(&authority).server_name("a.example").only(version);
        assert!(!ask(&echo, &tls).await.unwrap().1.resumed);
        assert!(ask(&echo, &tls).await.unwrap().1.resumed, "{version:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_right_is_refused() {
    let authority = Authority::new().unwrap();
    let names: &[&str] = &["a.example"];
    let refused = async |identity: Identity, expected: &str| {
        let error = meet(&authority, &identity).await.unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    refused(authority.order(names).expired().issue().unwrap(), "certificate expired").await;
    refused(authority.order(names).not_yet_valid().issue().unwrap(), "not valid yet").await;
    refused(authority.issue(&["c.example"]).unwrap(), "not valid for name").await;
    refused(Authority::new().unwrap().issue(names).unwrap(), "invalid peer certificate").await;
    refused(Order::self_signed(names).issue().unwrap(), "invalid peer certificate").await;

    // Who believes everybody sees it all the same.
    let echo = echo(&ServerTls::new(&Order::self_signed(names).issue().unwrap())).await;
    let raw = RawClient::connect_tls(echo.addr(), &ClientTls::trusting_anybody()).await.unwrap();
    assert_eq!(raw.secured().unwrap().peer_names, names);
}

#[tokio::test]
async fn every_kind_and_form_of_key_serves_and_is_read_by_openssl() {
    let authority = Authority::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (key, form, label) in [
        (Key::EcdsaP256, KeyForm::Pkcs8, "PRIVATE KEY"),
        (Key::EcdsaP256, KeyForm::Traditional, "EC PRIVATE KEY"),
        (Key::Rsa2048, KeyForm::Pkcs8, "PRIVATE KEY"),
        (Key::Rsa2048, KeyForm::Traditional, "RSA PRIVATE KEY"),
    ] {
        let identity = authority.order(&["a.example"]).key(key).form(form).issue().unwrap();
        assert!(identity.key_pem.starts_with(&format!("-----BEGIN {label}-----\n")));
        meet(&authority, &identity).await.unwrap();

        let Ok(output) = Command::new("openssl").arg("version").output() else { continue };
        assert!(output.status.success());
        let files = identity.write(directory.path()).unwrap();
        let of = |arguments: &[&str], file: &std::path::Path| {
            let output = Command::new("openssl").args(arguments).arg("-in").arg(file).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let public = of(&["pkey", "-pubout"], &files.key);
        assert_eq!(public, of(&["x509", "-noout", "-pubkey"], &files.cert), "{key:?} {form:?}");
    }
}

#[tokio::test]
async fn an_intermediate_authority_is_sent_along() {
    let root = Authority::new().unwrap();
    let identity = root.intermediate().unwrap().issue(&["a.example"]).unwrap();
    assert_eq!(identity.cert_pem.matches("BEGIN CERTIFICATE").count(), 2);
    meet(&root, &identity).await.unwrap();
}

#[tokio::test]
async fn clients_show_their_certificate() {
    let authority = Authority::new().unwrap();
    let server = ServerTls::new(&authority.issue(&["a.example"]).unwrap());
    let order = authority.order(&["c.example"]).client().common_name("billing");
    let client = order.uri("spiffe://test/billing").email("a@b.example").issue().unwrap();
    let tls = ClientTls::trusting(&authority).server_name("a.example");

    let strict = echo(&server.clone().require_client(&authority)).await;
    ask(&strict, &tls).await.unwrap_err();
    let stranger = Authority::new().unwrap().order(&["x"]).client().issue().unwrap();
    ask(&strict, &tls.clone().identity(&stranger)).await.unwrap_err();
    let (_, secured) = ask(&strict, &tls.clone().identity(&client)).await.unwrap();
    assert_eq!(secured.peer_subject.as_deref(), Some("CN=billing"));
    assert_eq!(secured.peer_names, ["c.example", "spiffe://test/billing", "a@b.example"]);

    let lenient = echo(&server.ask_client(&authority)).await;
    assert_eq!(ask(&lenient, &tls).await.unwrap().1.peer_subject, None);
}

#[tokio::test]
async fn an_upstream_misbehaves_over_tls_too() {
    let authority = Authority::new().unwrap();
    let server = ServerTls::new(&authority.issue(&["a.example"]).unwrap());
    let tls = ClientTls::trusting(&authority).server_name("a.example");

    // A handshake and no more, without the farewell of TLS.
    let upstream = RawUpstream::start_tls(&server, async |c| c.close()).await.unwrap();
    let mut raw = RawClient::connect_tls(upstream.addr(), &tls).await.unwrap();
    let error = raw.read_some().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);

    let upstream = RawUpstream::start_tls(&server, script::half_body_then_fin).await.unwrap();
    Client::https(upstream.addr(), &tls).get("/x").await.unwrap_err();
    assert_eq!(upstream.count_of("GET /x HTTP/1.1"), 1);

    // What is not a ClientHello ends the handshake and is told.
    let mut raw = RawClient::connect(upstream.addr()).await.unwrap();
    raw.send("GET / HTTP/1.1\r\n\r\n").await.unwrap();
    raw.read_to_end().await.unwrap();
    portway_testkit::eventually("it is told", || upstream.script_errors().len() == 1)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_websocket_runs_over_tls() {
    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["a.example"]).unwrap();
    let echo = echo(&ServerTls::new(&identity).alpn(&["h2", "http/1.1"])).await;
    let tls = ClientTls::trusting(&authority).server_name("a.example").alpn(&["http/1.1"]);
    let mut socket = WebSocket::connect_tls(echo.addr(), &tls, "/").await.unwrap();
    assert_eq!(socket.exchange("hello").await.unwrap(), "hello");
    socket.close().await.unwrap();
}

#[tokio::test]
async fn curl_agrees() {
    let authority = Authority::new().unwrap();
    let echo =
        echo(&ServerTls::new(&authority.issue(&["a.example"]).unwrap()).alpn(&["h2", "http/1.1"]))
            .await;
    let directory = tempfile::tempdir().unwrap();
    let root = authority.write(directory.path()).unwrap();
    let port = echo.addr().port();
    for (flag, protocol) in [("--http2", "HTTP/2.0"), ("--http1.1", "HTTP/1.1")] {
        let output = tokio::process::Command::new("curl")
            .args(["-sS", "--noproxy", "*", "--resolve", &format!("a.example:{port}:127.0.0.1")])
            .args([flag, &format!("https://a.example:{port}/curl"), "--cacert"])
            .arg(&root)
            .output()
            .await;
        // A machine without curl has nothing to say here.
        let Ok(output) = output else { return };
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&format!("\"protocol\": \"{protocol}\"")), "{output:?}");
    }
}
