//! Clients and upstreams of HTTP/2 that mean harm, frame by frame.
//!
//! Each attack has to end as it should, to bring nothing wrong to an upstream, and to leave others
//! alone: a [`Siege`] has somebody honest ask all the while, on connections of their own.

mod blocks;
mod floods;
mod heads;
mod lengths;
mod provoked;
mod upstreams;
mod windows;

use std::io;

use portway_testkit::{
    Client, Echo, Load, RawClient, RunningEcho,
    frames::FrameConnection,
    load::RunningLoad,
    tls::{Authority, ClientTls},
};
use tempfile::TempDir;

use crate::fixture::{Gateway, directory};

/// How much the gateway may grow in an attack: more than it needs for its ordinary work, less
/// than any attack here would take where nothing is bounded.
const KIB: u64 = 48 * 1024;

/// What carries the attack.
#[derive(Clone, Copy, Debug)]
enum Wire {
    /// HTTP/2 with prior knowledge.
    Plain,
    Tls,
}

const WIRES: [Wire; 2] = [Wire::Plain, Wire::Tls];

/// A gateway under attack, whose honest clients ask for `/honest`. Every other path leads to the
/// upstream that is attacked.
struct Siege {
    gateway: Gateway,
    authority: Authority,
    honest: RunningLoad,
    before: u64,
    _upstream: RunningEcho,
    _dir: TempDir,
}

impl Siege {
    /// A gateway before the upstream at a URL; `more` are further keys of its service.
    async fn of(url: &str, more: &str) -> io::Result<Self> {
        let (authority, dir) = (Authority::new()?, directory()?);
        let shown = authority.issue(&["a.example"])?.write(dir.path())?;
        let upstream = Echo::start().await?;
        let gateway = Gateway::start(&format!(
            "listeners:
  - {{name: web, bind: '127.0.0.1:0'}}
  - name: secure
    bind: '127.0.0.1:0'
    tls: {{certificates: [{{cert: '{}', key: '{}'}}]}}
services:
  - {{name: up, url: '{url}', {more} routes: [{{name: all}}]}}
  - {{name: honest, url: '{}', prefix: /honest, routes: [{{name: honest}}]}}",
            shown.cert.display(),
            shown.key.display(),
            upstream.url()
        ))
        .await?;
        let honest = Load::on(gateway.addr()).connections(2).request(|_| {
            let request = http::Request::get("/honest").body(http_body_util::Full::default());
            request.expect("the path is one")
        });
        let honest = honest.start();
        // Whatever is taken once, at the first requests, is taken by now.
        honest.wait_for(50).await?;
        let before = gateway.process.rss_kib()?;
        Ok(Self { gateway, authority, honest, before, _upstream: upstream, _dir: dir })
    }

    /// A connection that has said nothing but its preface and these settings.
    async fn attacker_with(
        &self,
        wire: Wire,
        settings: &[(u16, u32)],
    ) -> io::Result<FrameConnection> {
        let client = match wire {
            Wire::Plain => RawClient::connect(self.gateway.addr()).await?,
            Wire::Tls => {
                let tls = ClientTls::trusting(&self.authority).server_name("a.example");
                RawClient::connect_tls(self.gateway.listener("secure"), &tls.alpn(&["h2"])).await?
            }
        };
        let mut connection = FrameConnection::over(client);
        connection.open(settings).await?;
        Ok(connection)
    }

    async fn attacker(&self, wire: Wire) -> io::Result<FrameConnection> {
        self.attacker_with(wire, &[]).await
    }

    /// How much the gateway has grown since the attack began.
    fn grown(&self) -> io::Result<u64> {
        Ok(self.gateway.process.rss_kib()?.saturating_sub(self.before))
    }

    /// The attack is over: everybody honest was served, is served, and there is memory left.
    async fn end(self) -> io::Result<()> {
        let grown = self.grown()?;
        assert!(grown < KIB, "{grown} KiB more");
        self.honest.wait_for(20).await?;
        let tally = self.honest.stop().await?;
        assert_eq!((tally.failed(), tally.closed_connections), (0, 0), "{tally}");
        for client in [self.gateway.client(), Client::h2c(self.gateway.addr())] {
            assert_eq!(client.get("/honest").await?.status, 200);
        }
        Ok(())
    }
}
