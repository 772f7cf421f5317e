//! A protocol of the program's own on the port where HTTP is spoken: Gopher (RFC 1436), whose clients
//! begin with the name of what they want, and nothing before it.
//!
//! ```sh
//! curl -s gopher://127.0.0.1:8080/0/hello
//! #> hello from a hole in the ground
//! curl -s gopher://127.0.0.1:8080/0/nothing
//! #> there is no /nothing here
//!
//! # HTTP/1.1 and HTTP/2 are spoken as ever.
//! curl -s -i http://127.0.0.1:8080/hello
//! #> HTTP/1.1 200 OK
//! #> "path": "/hello"
//! curl -s -i --http2-prior-knowledge http://127.0.0.1:8080/hello
//! #> HTTP/2 200
//! ```

use portway::{
    Gateway, Problems,
    protocol::{Cause, Look, Protocol, Visitor},
};
use portway_examples::{listen, upstream};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    time::{Duration, timeout},
};

struct Gopher;

impl Protocol for Gopher {
    /// No request of HTTP and no hello of TLS begins with a slash.
    fn recognise(&self, first: &[u8]) -> Look {
        Look::starts_with(first, b"/")
    }

    async fn serve(&self, visitor: Visitor) -> Result<(), Cause> {
        let Visitor { stream, leaving, .. } = visitor;
        let mut stream = BufReader::new(stream);
        let mut wanted = String::new();
        tokio::select! {
            read = timeout(Duration::from_secs(5), stream.read_line(&mut wanted)) => read??,
            // The gateway ends: who has asked for nothing yet gets nothing.
            () = leaving.told() => return Ok(()),
        };
        let answer = match wanted.trim_end() {
            "/hello" => "hello from a hole in the ground\r\n".to_owned(),
            other => format!("there is no {other} here\r\n"),
        };
        stream.write_all(format!("{answer}.\r\n").as_bytes()).await?;
        stream.shutdown().await?;
        Ok(())
    }
}

#[portway::service]
mod web {
    #[portway::get("/hello")]
    async fn hello() {}
}

#[tokio::main]
async fn main() -> Result<(), Problems> {
    let gateway = Gateway::builder()
        .mount_service(web::routes(), [upstream()])
        .protocol("gopher", Gopher)
        .listen_with(&listen(), |web| web.protocols.push("gopher".parse().expect("a name")))
        .build()?;
    gateway.run_all().await?;
    Ok(())
}
