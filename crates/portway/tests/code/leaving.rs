//! Clients that leave while code is at work.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use portway::{Gateway, RawBody};
use portway_testkit::{Client, Echo, RawClient, eventually};

use crate::served::Served;

/// How many hooks have begun, and how many are gone.
#[derive(Clone, Default)]
struct Watch {
    begun: Arc<AtomicUsize>,
    gone: Arc<AtomicUsize>,
}

/// Counts when it is dropped.
struct Gone(Arc<AtomicUsize>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[portway::hook]
async fn watched(head: &mut portway::Head, watch: Watch) {
    watch.begun.fetch_add(1, SeqCst);
    head.extensions_mut().insert(Arc::new(Gone(watch.gone)));
}

#[portway::hook]
async fn reads(_: RawBody) {}

#[portway::hook]
async fn waits(watch: Watch) {
    let _gone = Gone(Arc::clone(&watch.gone));
    watch.begun.fetch_add(1, SeqCst);
    std::future::pending::<()>().await;
}

#[portway::hook]
async fn panics() {
    panic!("a hook of somebody else's");
}

#[portway::service(name = "shop")]
mod shop {
    #[portway::post("/read", before = [super::watched, super::reads])]
    async fn read() {}

    #[portway::post("/json", before = [super::watched], json = Vec<u32>)]
    async fn json() {}

    #[portway::get("/wait", before = [super::waits])]
    async fn wait() {}

    #[portway::get("/panic", before = [super::panics])]
    async fn panic() {}

    #[portway::get("/well")]
    async fn well() {}
}

async fn shop() -> io::Result<(Served, Watch, portway_testkit::RunningEcho)> {
    let (echo, watch) = (Echo::start().await?, Watch::default());
    let builder = Gateway::builder().mount_service(shop::routes(), [echo.url()]);
    Ok((Served::start(builder.state(watch.clone())).await?, watch, echo))
}

async fn leaves_in_the_middle(path: &str, request: &str) -> io::Result<()> {
    let (gateway, watch, echo) = shop().await?;
    let mut client = RawClient::connect(gateway.addr).await?;
    client.send(request).await?;
    eventually("the hook has begun", || watch.begun.load(SeqCst) == 1).await?;
    assert_eq!(watch.gone.load(SeqCst), 0);
    client.close();
    eventually("what the hook held is gone", || watch.gone.load(SeqCst) == 1).await?;
    let record = gateway.record(path).await?;
    assert_eq!(
        (&record["status"], &record["error"]),
        (&499.into(), &"client_closed_request".into())
    );
    gateway.metric_is("portway_requests_in_flight", "0").await?;
    assert_eq!(echo.requests(), 0);
    assert!(gateway.end().await);
    Ok(())
}

#[tokio::test]
async fn a_client_leaves_in_the_middle_of_a_body_that_a_hook_reads() -> io::Result<()> {
    let request = "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf";
    leaves_in_the_middle("/read", request).await
}

#[tokio::test]
async fn a_client_leaves_in_the_middle_of_json() -> io::Result<()> {
    let request = "POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n";
    leaves_in_the_middle("/json", request).await
}

#[tokio::test]
async fn a_client_leaves_while_a_hook_waits() -> io::Result<()> {
    leaves_in_the_middle("/wait", "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await
}

#[tokio::test]
async fn a_panic_in_a_hook_is_one_answer() -> io::Result<()> {
    let (gateway, _, echo) = shop().await?;
    let client = Client::h1(gateway.addr);
    assert_eq!(client.get("/panic").await?.status, 500);
    assert_eq!(gateway.record("/panic").await?["error"], "plugin_failed");
    assert_eq!(client.get("/well").await?.status, 200);
    gateway.metric_is("portway_requests_in_flight", "0").await?;
    assert_eq!(echo.requests(), 1);
    Ok(())
}
