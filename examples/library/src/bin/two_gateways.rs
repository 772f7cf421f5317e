//! Two gateways in one process: each with routes, plugins and listeners of its own. When one ends,
//! the other serves on. Here the public one forwards to the private one.
//!
//! ```sh
//! # They start beside each other: the private one may need another moment.
//! curl -s --retry 5 http://127.0.0.1:8080/shop/items
//! #> "path": "/v1/items"
//! #> "x-passed",
//! #> "private"
//! ```

use portway::{Gateway, Head, HookResult, Problems};
use portway_examples::{listen, upstream};

/// The private one has a Unix domain socket, so that nobody else comes by it.
fn private() -> String {
    let name = format!("portway-example-{}.sock", std::process::id());
    format!("unix:{}", std::env::temp_dir().join(name).display())
}

#[portway::hook]
async fn mark(head: &mut Head) -> HookResult {
    head.set_header("x-passed", "private")
}

#[portway::service(prefix = "/shop")]
mod public {
    #[portway::any("/{*rest}")]
    async fn all() {}
}

#[portway::service]
mod backend {
    #[portway::any("/{*rest}", to = "/v1/{rest}", before = [super::mark])]
    async fn all() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let backend = Gateway::builder()
        .cores(1)
        .mount_service(backend::routes(), [upstream()])
        .listen(&private())
        .build()?;
    let public =
        Gateway::builder().cores(1).mount_service(public::routes(), [private()]).build()?;
    let listen = listen();
    // Both end with the process's signals.
    let (one, other) = tokio::join!(backend.run_all(), public.run(&listen));
    one.and(other).map(drop)
}
