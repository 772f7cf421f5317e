//! What stands around the gateways:
//!
//! ```text
//! shop-ends auth|data ADDRESS
//! shop-ends load ADDRESS ROUTE gateway|directly PACE CONNECTIONS
//! ```
//!
//! A load ends with a line of JSON. One thread does all of it.

use std::{io, process::ExitCode, str::FromStr, time::Duration};

use portway_bench_shop::{
    open::{Order, Pace, Route, run},
    upstream::{Upstream, listen},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long answers are waited for after the last request.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match work(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop-ends: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn work(arguments: &[&str]) -> io::Result<()> {
    match arguments {
        ["auth", address] => Upstream::Auth.serve(listen(parsed(address)?)?).await.map(drop),
        ["data", address] => Upstream::Data.serve(listen(parsed(address)?)?).await.map(drop),
        ["load", to, route, way @ ("gateway" | "directly"), pace, most] => {
            let (to, route) = (parsed(to)?, parsed::<Route>(route)?);
            let order = Order {
                to,
                request: route.request(to, *way == "directly"),
                answer: route.answer(),
                pace: parsed::<Pace>(pace)?,
                most: parsed(most)?,
                patience: PATIENCE,
            };
            println!("{}", serde_json::to_string(&run(order).await?)?);
            Ok(())
        }
        _ => Err(invalid("usage: shop-ends auth|data ADDRESS, or load and what is asked")),
    }
}

fn parsed<T: FromStr>(text: &str) -> io::Result<T> {
    text.parse().map_err(|_| invalid(&format!("'{text}' is not what belongs here")))
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
