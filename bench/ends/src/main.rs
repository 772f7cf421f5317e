//! The ends of the benchmark that no tool at hand offers: who opens connections with TLS, who sends
//! messages of WebSocket, and who echoes them.
//!
//! ```text
//! ends handshakes full|resumed ADDRESS LANES SECONDS PATH
//! ends messages ADDRESS CONNECTIONS SECONDS PATH
//! ends echo ADDRESS
//! ```
//!
//! The first two end with a line of JSON: how much came back, how long it took, how much failed. One
//! thread does all of it. Nothing here is a client or a server for anything else: it knows what will
//! come and fails on everything else.

mod echo;
mod handshakes;
mod messages;
mod tally;

use std::io;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

/// What a client is asked to do.
#[derive(Debug, Clone)]
struct Order {
    to: std::net::SocketAddr,
    /// Connections at the same time.
    lanes: usize,
    /// Every lane ends with the first thing it does after this.
    length: Duration,
    path: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ends: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = match arguments {
        ["echo", address] => return runtime.block_on(echo::serve(parsed(address)?)),
        ["messages", order @ ..] => runtime.block_on(messages::send(Order::read(order)?))?,
        ["handshakes", "full", order @ ..] => {
            runtime.block_on(handshakes::shake(Order::read(order)?, false))?
        }
        ["handshakes", "resumed", order @ ..] => {
            runtime.block_on(handshakes::shake(Order::read(order)?, true))?
        }
        _ => return Err(invalid("usage: ends handshakes full|resumed …, messages …, echo …")),
    };
    println!("{told}");
    Ok(())
}

impl Order {
    fn read(arguments: &[&str]) -> io::Result<Self> {
        let [to, lanes, seconds, path] = arguments else {
            return Err(invalid("wanted: ADDRESS CONNECTIONS SECONDS PATH"));
        };
        Ok(Self {
            to: parsed(to)?,
            lanes: parsed(lanes)?,
            length: Duration::from_secs(parsed(seconds)?),
            path: (*path).to_owned(),
        })
    }
}

fn parsed<T: FromStr>(text: &str) -> io::Result<T> {
    text.parse().map_err(|_| invalid(&format!("'{text}' is not what belongs here")))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
