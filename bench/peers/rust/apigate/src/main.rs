//! `peer-apigate LISTEN UPSTREAM LOG`: a gateway on the crate apigate, on one thread.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use access_log::AccessLog;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// Without a prefix of the service: the crate would strip it from the path.
#[apigate::service]
mod bench {
    #[apigate::get("/bench/{group}/items/{id}")]
    fn get_item() {}

    #[apigate::post("/bench/{group}/items/{id}")]
    fn post_item() {}
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [listen, upstream, log] = args.as_slice() else {
        return Err("usage: peer-apigate LISTEN UPSTREAM LOG".into());
    };
    let log: &'static AccessLog = Box::leak(Box::new(AccessLog::open(Path::new(log))?));
    let listen: SocketAddr = listen.parse()?;
    let app = apigate::App::builder()
        .mount_service(bench::routes(), [format!("http://{upstream}")])
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(60))
        .build()?;
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let router = app.into_router().layer(from_fn_with_state(log, record));
    axum::serve(listener, router).await?;
    Ok(())
}

/// One line of the access log for each request.
async fn record(State(log): State<&'static AccessLog>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    log.record(method.as_str(), uri.path(), response.status().as_u16(), start.elapsed());
    response
}
