//! The floor of the benchmark: what forwarding HTTP/1.1 costs when nothing but forwarding is done.
//!
//! `floor LISTEN UPSTREAM` accepts keep-alive connections on one thread, reads just enough of
//! each head to know where the message ends, and copies the bytes to a pooled upstream connection
//! and back. It edits no header, checks nothing, logs nothing and has no time limits: it is a
//! yardstick, never a proxy to put in front of anything. Not done on purpose: `Expect:
//! 100-continue`, upgrades, and answers that come before the request's body has been sent.

mod forward;
mod framing;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(listen), Some(upstream), None) = (args.next(), args.next(), args.next()) else {
        eprintln!("usage: floor LISTEN UPSTREAM   (two socket addresses)");
        return ExitCode::from(2);
    };
    match run(&listen, &upstream) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(listen: &str, upstream: &str) -> io::Result<()> {
    let listen = address(listen)?;
    let upstream = address(upstream)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (client, _) = listener.accept().await?;
            client.set_nodelay(true)?;
            // A connection that fails has nobody to tell: its client sees the close.
            tokio::spawn(async move { drop(forward::serve(client, upstream).await) });
        }
    })
}

fn address(text: &str) -> io::Result<SocketAddr> {
    text.parse().map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("'{text}' is not a socket address"))
    })
}
