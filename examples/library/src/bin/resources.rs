//! A gateway of resources that are made in Rust: listener, service, endpoints, routes, rules.
//!
//! ```sh
//! curl -s http://127.0.0.1:8080/items/7
//! #> "path": "/v2/items/7"
//!
//! curl -s -H 'x-beta: 1' http://127.0.0.1:8080/preview/a
//! #> "path": "/a"
//!
//! curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8080/preview/a
//! #> 404
//!
//! curl -s -i http://127.0.0.1:8080/health
//! #> HTTP/1.1 200 OK
//! #> well
//! ```

use portway::{
    Gateway, Problems,
    build::{Endpoint, Listener, Route, Rule, Service},
    config::Balance,
};
use portway_examples::{listen, second_upstream, upstream};

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder()
        .with(Listener::new("web", &listen()).connections(10_000).body_limit("10MiB"))
        .with(
            Service::new("shop")
                .endpoint(Endpoint::new(upstream()).weight(3))
                .endpoint(second_upstream())
                .balance(Balance::LeastRequest)
                .connect_timeout("2s"),
        )
        .with(Route::new("items").to("shop").path("/items/{id}").rewrite("/v2/items/{id}"))
        .with(
            Route::new("preview")
                .rule(Rule::new().prefix("/preview").header("x-beta", "1"))
                .rule(Rule::new().prefix("/preview").query("beta", "1"))
                .strip_prefix("/preview")
                .to("shop")
                .timeout("5s"),
        )
        .with(Route::new("health").path("/health").reply(200, "well"))
        .build()?;
    gateway.run_all().await?;
    Ok(())
}
