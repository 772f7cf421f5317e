//! Sockets, pools, timeouts and limits: whatever a configuration file can say, in Rust.
//!
//! ```sh
//! curl -s -i http://127.0.0.1:8080/fast
//! #> 200 OK
//!
//! # The upstream takes its time: too much for this service, not for this route.
//! curl -s -i 'http://127.0.0.1:8080/fast?wait=300ms'
//! #> 504 Gateway Timeout
//! curl -s -i 'http://127.0.0.1:8080/slow?wait=300ms'
//! #> 200 OK
//!
//! # The longest head this listener takes.
//! curl -s -i -H "x-long: $(seq -s. 300)" http://127.0.0.1:8080/fast
//! #> 431 Request Header Fields Too Large
//! ```

use std::error::Error;

use portway::{Gateway, config::Keepalive};
use portway_examples::{listen, upstream};

#[portway::service(name = "shop")]
mod shop {
    #[portway::get("/fast")]
    async fn fast() {}

    #[portway::get("/slow", timeout = "5s")]
    async fn slow() {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (long, size) = ("5s".parse()?, "1KiB".parse()?);
    let (short, rest, room) = ("100ms".parse()?, "90s".parse()?, "256KiB".parse()?);
    let gateway = Gateway::builder()
        .cores(1)
        .body_limit(64 * 1024)
        .listen_with(&listen(), move |web| {
            web.http2.max_streams = 64;
            web.limits.connections = 10_000;
            web.limits.header_bytes = size;
            web.limits.header_read = long;
            web.backlog = 4096;
            web.socket.receive_buffer = room;
            web.socket.keepalive = Some(Keepalive::default());
        })
        .mount_service(shop::routes(), [upstream()])
        .service("shop", move |shop| {
            shop.timeouts.connect = Some(long);
            shop.timeouts.request = Some(short);
            shop.pool.max_idle = 64;
            shop.pool.idle = rest;
            shop.socket.keepalive = Some(Keepalive { retries: 2, ..Keepalive::default() });
        })
        .build()?;
    gateway.run_all().await?;
    Ok(())
}
