//! How a request chooses among several endpoints: policies by name, for services and for all that
//! name none, and one of the program's own.
//!
//! ```sh
//! # In turn.
//! for i in 1 2 3 4; do curl -s http://127.0.0.1:8080/turns; done | grep local_addr | sort | uniq -c
//! #> 2
//! #> 2
//!
//! # A user always comes to the same one.
//! for i in 1 2 3 4; do curl -s -H 'x-user: anna' http://127.0.0.1:8080/carts; done | grep local_addr | sort | uniq -c
//! #> 4
//!
//! # As code says: who writes comes to the first one.
//! curl -s http://127.0.0.1:8080/store/write/7
//! #> "local_addr": "127.0.0.1:9001"
//! curl -s http://127.0.0.1:8080/store/read/7
//! #> "local_addr": "127.0.0.1:9002"
//! ```

use portway::{
    Gateway, Problems,
    config::{Balance, HashKey},
    plugin::balance::{Balancer, Candidates},
};
use portway_examples::{listen, second_upstream, upstream};

/// Writes to the first endpoint, reads from the others as long as there are any.
struct Primary;

impl Balancer for Primary {
    fn pick(&self, candidates: &Candidates<'_>) -> Option<usize> {
        let writes = candidates.path().is_some_and(|path| path.contains("/write/"));
        match writes {
            true => candidates.free().next().filter(|endpoint| *endpoint == 0),
            false => candidates.free().last(),
        }
    }
}

#[portway::service]
mod turns {
    #[portway::get("/turns")]
    async fn all() {}
}

#[portway::service(policy = "by-user")]
mod carts {
    #[portway::get("/carts")]
    async fn all() {}
}

#[portway::service(policy = "primary")]
mod store {
    #[portway::get("/store/{*rest}")]
    async fn all() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let endpoints = || [upstream(), second_upstream()];
    let by_user = HashKey::Header("x-user".parse().expect("a field name"));
    let gateway = Gateway::builder()
        .plugins(portway::plugins::registry().balancer("primary", |_| Primary))
        .policy("by-user", Balance::ConsistentHash(by_user))
        .policy("primary", Balance::Custom("primary".to_owned()))
        .default_policy(Balance::RoundRobin)
        .mount_service(turns::routes(), endpoints())
        .mount_service(carts::routes(), endpoints())
        .mount_service(store::routes(), endpoints())
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
