//! The load generator, and what it notices.

use http::Request;
use portway_testkit::raw::{refused_addr, script};
use portway_testkit::{Echo, Load, RawUpstream, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_connection_is_kept_and_no_request_is_lost() {
    let echo = Echo::start().await.unwrap();
    let request = |number| Request::post(format!("/{number}")).body("hello".into()).unwrap();
    let load = Load::on(echo.addr()).connections(4).request(request).check(|response| {
        let answer = response.answer().map_err(|error| error.to_string())?;
        if answer.body.length == 5 { Ok(()) } else { Err("body lost".to_owned()) }
    });
    let load = load.start();
    load.wait_for(200).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert!(tally.ok >= 200, "{tally}");
    assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
    assert_eq!(echo.requests(), tally.ok);
    assert_eq!(echo.connections(), 4);
    eventually("every connection is closed", || echo.open_connections() == 0).await.unwrap();
}

#[tokio::test]
async fn failures_are_counted_by_what_was_wrong() {
    let echo = Echo::start().await.unwrap();
    let request = |number: u64| {
        let path = if number.is_multiple_of(2) { "/?status=503" } else { "/" };
        Request::get(path).body(Default::default()).unwrap()
    };
    let load = Load::on(echo.addr()).request(request).start();
    load.wait_for(4).await.unwrap();
    let tally = load.stop().await.unwrap();
    let unavailable = tally.failures["status 503 Service Unavailable"];
    assert_eq!(tally.failed(), unavailable);
    assert!(unavailable >= 2 && tally.ok >= 2, "{tally}");
    assert_eq!(tally.closed_connections, 0);
}

#[tokio::test]
async fn a_connection_that_is_closed_between_requests_is_counted_and_nothing_fails() {
    let upstream = RawUpstream::start(script::always(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ));
    let upstream = upstream.await.unwrap();
    let load = Load::on(upstream.addr()).connections(2).start();
    load.wait_for(20).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert_eq!(tally.failed(), 0, "{tally}");
    // The last answer on each connection is not followed by another one.
    assert_eq!(tally.closed_connections, tally.ok - 2);
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_seen_as_both() {
    let echo = Echo::start().await.unwrap();
    let addr = echo.addr();
    let load = Load::on(addr).connections(2).start();
    load.wait_for(10).await.unwrap();
    echo.stop().await;
    eventually("requests fail", || load.tally().failed() > 0).await.unwrap();
    let echo = Echo::bind(addr).await.unwrap().spawn();
    let before = load.tally().ok;
    eventually("requests succeed again", || load.tally().ok > before).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert!(tally.closed_connections >= 1, "{tally}");
    assert!(echo.requests() > 0);
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let refused = refused_addr().unwrap();
    let load = Load::on(refused.addr()).start();
    load.wait_for(3).await.unwrap();
    let tally = load.stop().await.unwrap();
    assert_eq!(tally.ok, 0);
    assert!(tally.failures.keys().all(|reason| reason.contains("refused")), "{tally}");
}
