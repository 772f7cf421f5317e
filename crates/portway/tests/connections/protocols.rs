//! Protocols of the program's own, on a port where HTTP and TLS are spoken, too.

use std::{
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use portway::{
    Builder, Server,
    protocol::{Cause, Look, Protocol, Visitor},
};
use portway_testkit::{
    Client, DEADLINE, Echo, RawClient, eventually,
    tls::{Authority, ClientTls},
    within,
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::fixture::{at, checked, serve};

/// Says every line back, louder, as long as it begins with `shout `; some words have other effects.
#[derive(Clone, Default)]
struct Shout {
    heard: Arc<Mutex<Vec<(SocketAddr, String)>>>,
}

impl Protocol for Shout {
    fn recognise(&self, first: &[u8]) -> Look {
        assert!(!first.starts_with(b"boo"), "it does not like to be frightened");
        Look::starts_with(first, b"shout ")
    }

    async fn serve(&self, visitor: Visitor) -> Result<(), Cause> {
        let Visitor { stream, client, listener, leaving, .. } = visitor;
        self.heard.lock().expect("nobody panics with it").push((client, listener.to_string()));
        let mut lines = BufReader::new(stream).lines();
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line?,
                () = leaving.told() => {
                    lines.get_mut().write_all(b"BYE\n").await?;
                    return Ok(());
                }
            };
            let Some(line) = line else { return Ok(()) };
            match line.as_str() {
                "shout panic" => panic!("as the client wants it"),
                "shout fail" => return Err("as the client wants it".into()),
                "shout hang" => std::future::pending().await,
                _ => {}
            }
            let louder = line.to_uppercase() + "\n";
            lines.get_mut().write_all(louder.as_bytes()).await?;
        }
    }
}

/// A listener with the protocol and `more` keys, and a service behind it.
fn document(url: &str, more: &str) -> String {
    format!(
        "listeners: [{{name: web, bind: '127.0.0.1:0', protocols: [shout]{more}}}]\n\
         services: [{{name: shop, url: '{url}', routes: [{{name: all}}]}}]\n"
    )
}

async fn start(more: &str) -> (Server, Shout, portway_testkit::RunningEcho) {
    let echo = Echo::start().await.expect("an upstream starts");
    let shout = Shout::default();
    let builder = Builder::new().protocol("shout", shout.clone());
    (serve(builder, &document(&echo.url(), more)).await, shout, echo)
}

async fn shouted(client: &mut RawClient, words: &str) -> String {
    client.send(format!("shout {words}\n")).await.expect("it is sent");
    let answer = client.read_exact("shout ".len() + words.len() + 1).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_spoken_beside_http1_and_http2() {
    let (server, shout, _echo) = start("").await;
    let address = at(&server, "web");
    let mut client = RawClient::connect(address).await.unwrap();
    assert_eq!(shouted(&mut client, "hello").await, "SHOUT HELLO\n");
    assert_eq!(shouted(&mut client, "again").await, "SHOUT AGAIN\n");
    let heard = shout.heard.lock().unwrap().clone();
    assert_eq!(heard, [(client.local_addr().unwrap(), "web".to_owned())]);
    assert_eq!(Client::h1(address).get("/a").await.unwrap().status, 200);
    assert_eq!(Client::h2c(address).get("/a").await.unwrap().status, 200);
    // It begins as the other does, and goes on otherwise.
    let mut odd = RawClient::connect(address).await.unwrap();
    odd.send_split("share / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1).await.unwrap();
    let answer = odd.read_response().await.unwrap();
    assert!(answer.text().contains("share"), "{}", answer.text());
    assert_eq!(shout.heard.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_spoken_beside_tls() {
    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["a.example"]).unwrap();
    let escaped = |pem: &str| pem.replace('\n', "\\n");
    let tls = format!(
        ", tls: {{certificates: [{{cert: \"{}\", key: \"{}\"}}]}}",
        escaped(&identity.cert_pem),
        escaped(&identity.key_pem)
    );
    let (server, shout, _echo) = start(&tls).await;
    let address = at(&server, "web");
    let trusting = ClientTls::trusting(&authority).server_name("a.example");
    for alpn in ["h2", "http/1.1"] {
        let client = Client::https(address, &trusting.clone().alpn(&[alpn]));
        assert_eq!(client.get("/a").await.unwrap().status, 200);
    }
    let mut client = RawClient::connect(address).await.unwrap();
    assert_eq!(shouted(&mut client, "hello").await, "SHOUT HELLO\n");
    assert_eq!(shout.heard.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_packet_may_come_in_pieces() {
    let (server, shout, _echo) = start("").await;
    let mut client = RawClient::connect(at(&server, "web")).await.unwrap();
    client.send_split("shout hello\n", 1).await.unwrap();
    let answer = client.read_exact(12).await.unwrap();
    assert_eq!(&answer[..], b"SHOUT HELLO\n");
    assert_eq!(shout.heard.lock().unwrap().len(), 1);
}

/// Wants to hear all that comes.
struct Patient;

impl Protocol for Patient {
    fn recognise(&self, _: &[u8]) -> Look {
        Look::More
    }

    async fn serve(&self, _: Visitor) -> Result<(), Cause> {
        unreachable!("it never says yes")
    }
}

/// Where no more comes, or too much, those who stand behind it have their say.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_tell_is_passed_over() {
    let shout = Shout::default();
    let builder = Builder::new().protocol("patient", Patient).protocol("shout", shout.clone());
    let document = "listeners: [{name: web, bind: '127.0.0.1:0', protocols: [patient, shout]}]\n";
    let config = checked(document, &["patient", "shout"]).expect("the document is right");
    let server = builder.cores(1).start(config).await.expect("the gateway starts");
    let mut brief = RawClient::connect(at(&server, "web")).await.unwrap();
    brief.send("shout hello\n").await.unwrap();
    brief.half_close().await.unwrap();
    assert_eq!(&brief.read_exact(12).await.unwrap()[..], b"SHOUT HELLO\n");
    let mut long = RawClient::connect(at(&server, "web")).await.unwrap();
    let words = "a".repeat(5000);
    assert_eq!(shouted(&mut long, &words).await, format!("SHOUT {}\n", words.to_uppercase()));
    assert_eq!(shout.heard.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_too_little_is_closed_in_time() {
    let (server, shout, _echo) = start(", limits: {header_read: 100ms}").await;
    for said in ["", "sho"] {
        let mut client = RawClient::connect(at(&server, "web")).await.unwrap();
        client.send(said).await.unwrap();
        client.expect_closed().await.unwrap();
    }
    // Who leaves is not waited for.
    RawClient::connect(at(&server, "web")).await.unwrap().close();
    assert!(shout.heard.lock().unwrap().is_empty());
    assert!(server.drain().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_panics_or_fails_is_one_connections_end() {
    let (server, _, _echo) = start("").await;
    let address = at(&server, "web");
    for said in ["shout panic\n", "shout fail\n", "boo\n"] {
        let mut client = RawClient::connect(address).await.unwrap();
        client.send(said).await.unwrap();
        client.expect_closed().await.unwrap();
    }
    let mut client = RawClient::connect(address).await.unwrap();
    assert_eq!(shouted(&mut client, "still here").await, "SHOUT STILL HERE\n");
    assert_eq!(Client::h1(address).get("/a").await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_when_the_gateway_ends_and_waited_for() {
    let (server, _, _echo) = start("").await;
    let mut client = RawClient::connect(at(&server, "web")).await.unwrap();
    assert_eq!(shouted(&mut client, "hello").await, "SHOUT HELLO\n");
    let drained = tokio::spawn(server.drain());
    assert_eq!(&client.read_to_end().await.unwrap()[..], b"BYE\n");
    assert!(within(DEADLINE, "the end", async { Ok(drained.await.unwrap()) }).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_leave_is_cut_when_the_listener_is_gone() {
    let echo = Echo::start().await.unwrap();
    let builder = Builder::new().protocol("shout", Shout::default());
    let mut server = serve(builder, &document(&echo.url(), "")).await;
    let mut client = RawClient::connect(at(&server, "web")).await.unwrap();
    assert_eq!(shouted(&mut client, "hello").await, "SHOUT HELLO\n");
    client.send("shout hang\n").await.unwrap();
    let without = "stream_drain: 50ms\n\
         listeners: [{name: other, bind: '127.0.0.1:0'}]\n";
    server.apply(checked(without, &[]).unwrap()).await.unwrap();
    client.expect_closed().await.unwrap();
    assert!(server.drain().await, "nobody is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_count_for_the_limit_of_their_listener() {
    let (server, _, _echo) = start(", limits: {connections: 1}").await;
    let address = at(&server, "web");
    let mut first = RawClient::connect(address).await.unwrap();
    assert_eq!(shouted(&mut first, "one").await, "SHOUT ONE\n");
    let mut second = RawClient::connect(address).await.unwrap();
    second.send("shout two\n").await.unwrap();
    first.close();
    assert_eq!(&second.read_exact(10).await.unwrap()[..], b"SHOUT TWO\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_any_more_is_cut() {
    let (server, _, _echo) = start(", limits: {idle: 50ms}").await;
    let mut client = RawClient::connect(at(&server, "web")).await.unwrap();
    assert_eq!(shouted(&mut client, "hello").await, "SHOUT HELLO\n");
    client.expect_closed().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_a_record() {
    let echo = Echo::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let text = format!(
        "access_log: {{format: json, path: '{}'}}\n{}",
        log.display(),
        document(&echo.url(), "")
    );
    let builder = Builder::new().cores(1).protocol("shout", Shout::default());
    let server = builder.start(checked(&text, &["shout"]).unwrap()).await.unwrap();
    let address = at(&server, "web");
    for last in ["", "shout fail\n", "shout panic\n"] {
        let mut client = RawClient::connect(address).await.unwrap();
        assert_eq!(shouted(&mut client, "hello").await, "SHOUT HELLO\n");
        client.send(last).await.unwrap();
        client.half_close().await.unwrap();
        client.expect_closed().await.unwrap();
    }
    let records = || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.collect::<Vec<_>>()
    };
    eventually("three records", || records().len() == 3).await.unwrap();
    for (record, (error, bytes)) in records().iter().zip([
        (Value::Null, 12),
        (Value::from("protocol_failed"), 23),
        (Value::from("protocol_panicked"), 24),
    ]) {
        assert_eq!(record["protocol"], "shout", "{record}");
        assert_eq!((&record["error"], &record["listener"]), (&error, &Value::from("web")));
        assert_eq!((&record["bytes_in"], &record["bytes_out"]), (&bytes.into(), &12.into()));
    }
}

#[tokio::test]
async fn a_process_without_it_refuses_it() {
    let text = document("http://127.0.0.1:1", "");
    let problems = checked(&text, &["shut"]).unwrap_err();
    assert_eq!(
        (problems[0].code, &*problems[0].path),
        ("unknown_protocol", "listeners[0].protocols[0]")
    );
    assert!(problems[0].hint.as_deref().is_some_and(|hint| hint.contains("did you mean shut?")));
    // Checked by a program that has it, and started by one that has not.
    let config = checked(&text, &["shout"]).unwrap();
    let refused = Builder::new().cores(1).start(config).await.err().unwrap();
    assert!(refused.to_string().contains("does not bring the protocol shout"), "{refused}");
}
