//! The program makes connections itself: by a resolver of its own, and to a service inside the
//! process.
//!
//! ```sh
//! # No name server knows `one.internal` and `two.internal`: the program does.
//! curl -s http://127.0.0.1:8080/one
//! #> "host": "one.internal"
//! #> "local_addr": "127.0.0.1:9001"
//! curl -s http://127.0.0.1:8080/two
//! #> "host": "two.internal"
//! #> "local_addr": "127.0.0.1:9002"
//!
//! # Nothing leaves the process.
//! curl -s -i http://127.0.0.1:8080/inside
//! #> 200 OK
//! #> from the inside
//!
//! # A name that the program does not know either.
//! curl -s -i http://127.0.0.1:8080/three
//! #> 502 Bad Gateway
//! #> upstream_connect
//! ```

use std::collections::HashMap;

use portway::{
    Gateway, Problems,
    connect::{Cause, Connect, Connected, Dial},
    plugin::BoxFuture,
};
use portway_examples::{listen, second_upstream, upstream};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream},
    net::TcpStream,
};

/// Knows where names lead.
struct Names(HashMap<&'static str, String>);

impl Connect for Names {
    fn connect(&self, dial: Dial) -> BoxFuture<'_, Result<Connected, Cause>> {
        Box::pin(async move {
            let address = self.0.get(dial.host()).ok_or("nobody has this name")?;
            Ok(TcpStream::connect(address).await?.into())
        })
    }
}

/// Gives one end of a pipe to the gateway, and answers at the other.
async fn inside(_: Dial) -> Result<Connected, Cause> {
    let (ours, theirs) = tokio::io::duplex(4096);
    tokio::spawn(answer(theirs));
    Ok(ours.into())
}

/// The smallest server of HTTP: whatever it is asked, it says the same.
async fn answer(stream: DuplexStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        if line.is_empty() {
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nfrom the inside\n";
            lines.get_mut().write_all(answer.as_bytes()).await?;
        }
    }
    Ok(())
}

#[portway::service]
mod one {
    #[portway::get("/one")]
    async fn all() {}
}

#[portway::service]
mod two {
    #[portway::get("/two")]
    async fn all() {}
}

#[portway::service]
mod three {
    #[portway::get("/three")]
    async fn all() {}
}

#[portway::service]
mod pipe {
    #[portway::get("/inside")]
    async fn all() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let address = |url: String| url.trim_start_matches("http://").to_owned();
    let names = Names(HashMap::from([
        ("one.internal", address(upstream())),
        ("two.internal", address(second_upstream())),
    ]));
    let gateway = Gateway::builder()
        .mount_service(one::routes(), ["http://one.internal"])
        .mount_service(two::routes(), ["http://two.internal"])
        .mount_service(three::routes(), ["http://three.internal"])
        .mount_service(pipe::routes(), ["http://inside.internal"])
        .connect(names)
        .connect_for("pipe", inside)
        .build()?;
    gateway.run(&listen()).await?;
    Ok(())
}
