//! The gateway inside a program of one's own.

use std::io;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use portway::{
    Builder, Server,
    config::{Catalog, Checked, Config, NoLookup, Problem, load},
};
use portway_testkit::{Client, Echo};
use tower_service::Service as _;

/// Port 0 takes a free port.
fn config(path: &str, upstream: &str) -> Result<Checked<Config>, Vec<Problem>> {
    listening("bind: '127.0.0.1:0'", path, upstream)
}

fn listening(listener: &str, path: &str, upstream: &str) -> Result<Checked<Config>, Vec<Problem>> {
    let text = format!(
        "listeners: [{{name: web, {listener}}}]\n\
         probes: {{enabled: false}}\n\
         access_log: {{enabled: false}}\n\
         services:\n\
         - {{name: echo, url: '{upstream}', routes: [{{name: all, match: {{path: '{path}'}}}}]}}\n"
    );
    load(&text, "made.yaml", &NoLookup, &Catalog::default())?.check()
}

async fn status(server: &Server, path: &str) -> io::Result<u16> {
    let addresses = server.addresses();
    assert_eq!(addresses[0].0, "web");
    Ok(Client::h1(addresses[0].1).get(path).await?.status.as_u16())
}

#[tokio::test]
async fn a_program_serves_and_changes_a_configuration_of_its_own() {
    let echo = Echo::start().await.unwrap();
    let builder = Builder::new().cores(1);
    let mut server = builder.start(config("/one", &echo.url()).unwrap()).await.unwrap();
    assert_eq!(
        (status(&server, "/one").await.unwrap(), status(&server, "/two").await.unwrap()),
        (200, 404)
    );
    assert_eq!(server.probe_address(), None);

    server.apply(config("/two", &echo.url()).unwrap()).await.unwrap();
    assert_eq!(server.revision(), 2);
    assert_eq!(
        (status(&server, "/one").await.unwrap(), status(&server, "/two").await.unwrap()),
        (404, 200)
    );
    assert!(server.drain().await);
}

#[tokio::test]
async fn a_process_holds_two_gateways() {
    let echo = Echo::start().await.unwrap();
    let one = Builder::new().cores(1).start(config("/one", &echo.url()).unwrap()).await.unwrap();
    let two = Builder::new().cores(1).start(config("/two", &echo.url()).unwrap()).await.unwrap();
    assert_eq!(
        (status(&one, "/one").await.unwrap(), status(&two, "/one").await.unwrap()),
        (200, 404)
    );
    assert!(one.drain().await);
    assert_eq!(status(&two, "/two").await.unwrap(), 200);
    assert!(two.drain().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_plane_is_a_tower_service_on_any_runtime() {
    let echo = Echo::start().await.unwrap();
    let server = Builder::new().cores(1).start(config("/one", &echo.url()).unwrap()).await.unwrap();
    let mut asked = Vec::new();
    for path in ["/one", "/other", "/one"] {
        let mut gateway = server.gateway();
        asked.push(tokio::spawn(async move {
            let request =
                Request::get(path).header("host", "a").body(Empty::<Bytes>::new()).unwrap();
            gateway.call(request).await.unwrap().status().as_u16()
        }));
    }
    let mut statuses = Vec::new();
    for answer in asked {
        statuses.push(answer.await.unwrap());
    }
    assert_eq!((statuses, echo.requests()), (vec![200, 404, 200], 2));
    assert!(server.drain().await);
}

#[tokio::test]
async fn the_tower_service_does_as_the_listener_says_that_is_first_now() {
    let echo = Echo::start().await.unwrap();
    let builder = Builder::new().cores(1);
    let mut server = builder.start(config("/one", &echo.url()).unwrap()).await.unwrap();
    let mut gateway = server.gateway();
    let mut asked = async |path: &str| {
        let request = Request::get(path).header("host", "a").body(Empty::<Bytes>::new()).unwrap();
        gateway.call(request).await.unwrap().status().as_u16()
    };
    assert_eq!(asked("/one").await, 200);
    // Another address is another socket.
    let other = "bind: '[::1]:0', allowed_domains: [b.example]";
    server.apply(listening(other, "/one", &echo.url()).unwrap()).await.unwrap();
    assert_eq!(asked("/one").await, 421);
    assert!(server.drain().await);
}

#[tokio::test]
async fn a_builder_that_was_told_what_to_serve_does_not_serve_something_else() {
    let config = config("/one", "http://127.0.0.1:1").unwrap();
    let builder = Builder::new().backend("shop", ["http://127.0.0.1:1"]).listen("nowhere at all");
    let problems = builder.start(config).await.err().expect("it is refused");
    let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["bad_value", "two_configurations"], "{problems}");
}
