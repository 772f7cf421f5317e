//! A gateway inside an axum application: some paths are the application's, all others the
//! gateway's, which knows who asks.
//!
//! ```sh
//! curl -s http://127.0.0.1:8080/hello
//! #> hello from axum
//!
//! curl -s http://127.0.0.1:8080/shop/items/7
//! #> "path": "/items/7"
//! #> "x-client",
//! #> "127.0.0.1"
//!
//! curl -s http://127.0.0.1:8080/nested/shop/items/8
//! #> "path": "/items/8"
//! ```

use std::net::SocketAddr;

use axum::{Router, routing::get};
use portway::{Gateway, Head, HookResult};
use portway_examples::{listen, upstream};

#[portway::hook]
async fn introduce(head: &mut Head) -> HookResult {
    let client = head.client();
    head.set_header("x-client", client)
}

#[portway::service(prefix = "/shop")]
mod shop {
    #[portway::any("/{*rest}", before = [super::introduce])]
    async fn all() {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gateway = Gateway::builder().mount_service(shop::routes(), [upstream()]).build()?;
    let gateway = gateway.into_router().await?;
    let application = Router::new()
        .route("/hello", get(async || "hello from axum\n"))
        .nest("/nested", gateway.clone())
        .merge(gateway);
    let listener = tokio::net::TcpListener::bind(listen()).await?;
    // By this the gateway learns who asks: only the server that has accepted the connection knows.
    let service = application.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}
