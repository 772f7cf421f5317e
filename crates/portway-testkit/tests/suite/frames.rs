//! HTTP/2 frame by frame, against the echo upstream and the well-behaved client.

use std::io;

use http::Request;
use portway_testkit::frames::{
    Frame, FrameConnection, PREFACE, code, fields, kind, request, script, setting,
};
use portway_testkit::{Client, Echo, RawUpstream, RunningEcho};

async fn open(echo: &RunningEcho) -> FrameConnection {
    let mut connection = FrameConnection::connect(echo.addr()).await.unwrap();
    connection.open(&[]).await.unwrap();
    connection
}

fn get(stream: u32, path: &str) -> Frame {
    Frame::headers(stream, request("GET", &format!("http://a.example{path}"), &[])).end()
}

#[tokio::test]
async fn streams_are_answered_side_by_side() {
    let echo = Echo::start().await.unwrap();
    let mut connection = open(&echo).await;
    let settings = connection.wait_for(kind::SETTINGS).await.unwrap();
    assert!(settings.settings_list().contains(&(setting::ENABLE_CONNECT_PROTOCOL, 1)));
    connection.send(&Frame::settings_ack()).await.unwrap();

    connection.send_all(&[get(1, "/?wait=10m"), get(3, "/?status=503&bytes=0")]).await.unwrap();
    let answer = connection.answer(3).await.unwrap();
    assert_eq!((answer.statuses.as_slice(), answer.body.len()), (&[503][..], 0));

    // More than the first window of a connection, which holds 65535 bytes.
    connection.send(&get(5, "/?bytes=300000&trailer=a:b")).await.unwrap();
    let answer = connection.answer(5).await.unwrap();
    assert_eq!((answer.body.len(), answer.trailers, answer.reset), (300_000, true, None));

    connection.send(&Frame::rst_stream(1, code::CANCEL)).await.unwrap();
    connection.round_trip().await.unwrap();
    portway_testkit::eventually("it is abandoned", || echo.abandoned() == 1).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_head_may_be_cut_into_pieces() {
    let echo = Echo::start().await.unwrap();
    let mut connection = open(&echo).await;
    let mut block = request("POST", "http://a.example/x", &[("x-a", "1")]);
    let rest = block.split_off(7);
    let last = Frame::new(kind::CONTINUATION, 4, 1, rest);
    let head = Frame::headers(1, block).unfinished();
    let body = Frame::data(1, "hello").end();
    connection.send_all(&[head, Frame::continuation(1, ""), last, body]).await.unwrap();
    let answer = connection.answer(1).await.unwrap();
    let echoed: portway_testkit::echo::Answer = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((echoed.path.as_str(), echoed.header("x-a")), ("/x", Some("1")));
    assert_eq!(echoed.body.text.as_deref(), Some("hello"));
}

#[tokio::test]
async fn abuse_is_answered_with_its_code() {
    let echo = Echo::start().await.unwrap();
    for (frame, expected) in [
        (Frame::data(1, "early"), code::PROTOCOL_ERROR),
        (Frame::window_update(0, 0), code::PROTOCOL_ERROR),
        (Frame::new(kind::DATA, 0, 1, vec![0; 20_000]), code::FRAME_SIZE_ERROR),
        (Frame::continuation(1, "x"), code::PROTOCOL_ERROR),
    ] {
        let mut connection = open(&echo).await;
        connection.send(&frame).await.unwrap();
        assert_eq!(connection.wait_for_end().await.unwrap(), Some(expected), "{frame:?}");
    }

    // A field that no client may send harms only its stream.
    let mut connection = open(&echo).await;
    connection.send(&Frame::headers(1, fields(&[(":path", "/")])).end()).await.unwrap();
    assert_eq!(connection.answer(1).await.unwrap().reset, Some(code::PROTOCOL_ERROR));
    connection.send(&get(3, "/")).await.unwrap();
    assert_eq!(connection.answer(3).await.unwrap().statuses, [200]);

    let mut connection = FrameConnection::connect(echo.addr()).await.unwrap();
    connection.send_bytes(&PREFACE[..20]).await.unwrap();
    connection.send_bytes("nonsense").await.unwrap();
    connection.wait_for_end().await.unwrap();
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn frames_go_over_tls() {
    use portway_testkit::RawClient;
    use portway_testkit::tls::{Authority, ClientTls, ServerTls};

    let authority = Authority::new().unwrap();
    let identity = authority.issue(&["a.example"]).unwrap();
    let server = ServerTls::new(&identity).alpn(&["h2"]);
    let echo = Echo::anywhere().await.unwrap().tls(&server).unwrap().spawn();
    let tls = ClientTls::trusting(&authority).server_name("a.example").alpn(&["h2"]);
    let client = RawClient::connect_tls(echo.addr(), &tls).await.unwrap();
    let mut connection = FrameConnection::over(client);
    connection.open(&[]).await.unwrap();
    connection
        .send(&Frame::headers(1, request("GET", "https://a.example/", &[])).end())
        .await
        .unwrap();
    assert_eq!(connection.answer(1).await.unwrap().statuses, [200]);
}

async fn ask(client: &Client) -> io::Result<(u16, String)> {
    let response = client.request(Request::get("/").body(String::new()).unwrap()).await?;
    Ok((response.status.as_u16(), response.text().into_owned()))
}

#[tokio::test]
async fn upstreams_go_away_and_refuse() {
    let ok = (200, "ok".to_owned());

    let upstream = RawUpstream::start(script::goes_away_after(2)).await.unwrap();
    let client = Client::h2c(upstream.addr());
    for _ in 0..2 {
        assert_eq!(ask(&client).await.unwrap(), ok);
    }
    let gone = ask(&client).await;
    assert!(gone.is_err() || upstream.connections() == 2, "{gone:?}");

    let upstream = RawUpstream::start(script::refuses(1)).await.unwrap();
    let client = Client::h2c(upstream.addr());
    ask(&client).await.unwrap_err();
    assert_eq!(ask(&client).await.unwrap(), ok);
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn upstreams_break_off_and_end_with_more_than_asked() {
    let upstream = RawUpstream::start(script::resets_mid_body(code::INTERNAL_ERROR)).await.unwrap();
    ask(&Client::h2c(upstream.addr())).await.unwrap_err();

    let upstream = RawUpstream::start(script::hints_first).await.unwrap();
    assert_eq!(ask(&Client::h2c(upstream.addr())).await.unwrap(), (200, "ok".to_owned()));
    let mut connection = FrameConnection::connect(upstream.addr()).await.unwrap();
    connection.open(&[]).await.unwrap();
    connection.send(&get(1, "/")).await.unwrap();
    assert_eq!(connection.answer(1).await.unwrap().statuses, [103, 200]);

    let upstream = RawUpstream::start(script::ends_with_trailers).await.unwrap();
    let response = Client::h2c(upstream.addr()).get("/").await.unwrap();
    assert_eq!(
        (response.text().as_ref(), &response.trailers["x-sum"]),
        ("ok", &"42".parse().unwrap())
    );
}

#[tokio::test]
async fn an_upstream_tells_who_opens_more_streams_than_it_allows() {
    let upstream = RawUpstream::start(script::one_at_a_time).await.unwrap();
    let client = Client::h2c(upstream.addr());
    let all = tokio::try_join!(ask(&client), ask(&client), ask(&client), ask(&client));
    assert_eq!(all.unwrap().3.0, 200);
    assert!(upstream.script_errors().is_empty(), "{:?}", upstream.script_errors());

    let mut connection = FrameConnection::connect(upstream.addr()).await.unwrap();
    connection.open(&[]).await.unwrap();
    connection.wait_for(kind::SETTINGS).await.unwrap();
    let ping = connection.wait_for(kind::PING).await.unwrap();
    let requests = [ping.with(1), get(1, "/"), get(3, "/")];
    connection.send_all(&requests).await.unwrap();
    let ping = connection.wait_for(kind::PING).await.unwrap();
    connection.send(&ping.with(1)).await.unwrap();
    assert_eq!(connection.wait_for_end().await.unwrap(), Some(code::PROTOCOL_ERROR));
    assert_eq!(upstream.script_errors().len(), 1);
}
