//! Requests pass through, and their paths are rewritten. Routes without code stream, with nothing
//! in between.
//!
//! ```sh
//! # The prefix of the service is taken off; the query stays.
//! curl -s 'http://127.0.0.1:8080/sales/ping?a=1'
//! #> "path": "/ping"
//! #> "query": "a=1"
//!
//! # One path for another.
//! curl -s http://127.0.0.1:8080/sales/health
//! #> "path": "/internal/healthz"
//!
//! # What a placeholder stands for goes where the template says.
//! curl -s http://127.0.0.1:8080/sales/items/7/reviews
//! #> "path": "/reviews/of/7"
//!
//! # All that follows, any method.
//! curl -s -X PURGE http://127.0.0.1:8080/sales/files/a/b/c.txt
//! #> "method": "PURGE"
//! #> "path": "/static/a/b/c.txt"
//!
//! # `get` answers HEAD, too, and nothing else.
//! curl -s -I http://127.0.0.1:8080/sales/ping
//! #> 200 OK
//! curl -s -i -X POST http://127.0.0.1:8080/sales/ping
//! #> 405 Method Not Allowed
//! #> "code":"method_not_allowed"
//! ```

use portway::{Gateway, Problems};

#[portway::service(prefix = "/sales")]
mod sales {
    #[portway::get("/ping")]
    async fn ping() {}

    #[portway::get("/health", to = "/internal/healthz")]
    async fn health() {}

    #[portway::get("/items/{id}/reviews", to = "/reviews/of/{id}")]
    async fn reviews() {}

    #[portway::any("/files/{*rest}", to = "/static/{rest}")]
    async fn files() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder()
        .mount_service(sales::routes(), [portway_examples::upstream()])
        .build()?;
    gateway.run(&portway_examples::listen()).await?;
    Ok(())
}
