//! `portway echo`: the testkit's upstream, for trying things.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use anyhow::Context;
use portway_testkit::Echo;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

use crate::{args, terminal::print};

/// An address as it may be typed: `127.0.0.1:8001`, `[::1]:8001`, `:8001` (all addresses), `8001`
/// (loopback).
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = |text: &str| text.parse::<u16>().ok();
    let on = |ip: Ipv4Addr, port| SocketAddr::new(IpAddr::V4(ip), port);
    let named = text.replacen("localhost:", "127.0.0.1:", 1);
    let address = port(text)
        .map(|port| on(Ipv4Addr::LOCALHOST, port))
        .or_else(|| Some(on(Ipv4Addr::UNSPECIFIED, port(text.strip_prefix(':')?)?)))
        .or_else(|| named.parse().ok());
    address.ok_or_else(|| "write an address and a port, as in 127.0.0.1:8001".to_owned())
}

pub(crate) fn echo(args: &args::Echo) -> anyhow::Result<ExitCode> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(&args.addresses))
}

async fn serve(addresses: &[SocketAddr]) -> anyhow::Result<ExitCode> {
    let mut upstreams = JoinSet::new();
    for address in addresses {
        let echo = Echo::bind(address).await;
        let echo = echo.with_context(|| format!("cannot listen on {address}"))?;
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        print(&format!("listening on {}\n", echo.url()))?;
        let name = echo.addr().to_string();
        upstreams.spawn(echo.named(name).serve_until(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }));
    }
    upstreams.join_all().await;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_may_be_short() {
        for (typed, meant) in [
            ("127.0.0.1:8001", "127.0.0.1:8001"),
            ("[::1]:8001", "[::1]:8001"),
            ("localhost:8001", "127.0.0.1:8001"),
            (":8001", "0.0.0.0:8001"),
            ("8001", "127.0.0.1:8001"),
            ("0", "127.0.0.1:0"),
        ] {
            assert_eq!(address(typed).unwrap(), meant.parse().unwrap(), "{typed}");
        }
        for typed in ["", ":", "nowhere:80", "127.0.0.1", "65536", "::1"] {
            assert!(address(typed).is_err(), "{typed}");
        }
    }
}
