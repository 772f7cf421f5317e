//! TLS, as clients and upstreams meet it.

mod clients;
mod farewell;
mod names;
mod passed;
mod refused;
mod renewal;
mod termination;
mod upstreams;

pub(super) use renewal::check;

use std::{io, net::SocketAddr, process::Stdio};

use portway_testkit::{
    DEADLINE, RawClient,
    process::Command,
    tls::{Authority, ClientTls, Identity},
    within,
};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use crate::fixture::directory;

/// A route that answers every request itself.
pub(super) const REPLY: &str = "routes: [{name: all, target: {reply: {body: ok}}}]";
const GET: &str = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// An authority, and a directory for what it issues.
pub(super) struct Issuer {
    pub(super) authority: Authority,
    dir: TempDir,
}

impl Issuer {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { authority: Authority::new()?, dir: directory()? })
    }

    /// A pair for these names in files called after the first of them, as an entry of
    /// `certificates`.
    pub(super) fn pair(&self, names: &[&str]) -> io::Result<String> {
        self.written(names[0], &self.authority.issue(names)?)
    }

    /// An identity in files of this name, as an entry of `certificates`.
    pub(super) fn written(&self, name: &str, identity: &Identity) -> io::Result<String> {
        let files = identity.write_named(self.dir.path(), name)?;
        Ok(format!("{{cert: \"{}\", key: \"{}\"}}", files.cert.display(), files.key.display()))
    }

    /// The path of the authority's own certificate.
    fn ca(&self) -> io::Result<String> {
        Ok(self.authority.write(self.dir.path())?.display().to_string())
    }

    /// A client that trusts the authority and asks for this name.
    pub(super) fn client(&self, name: &str) -> ClientTls {
        ClientTls::trusting(&self.authority).server_name(name)
    }
}

/// A listener `web` that ends TLS like this, and the rest of a configuration.
fn secure(tls: &str, rest: &str) -> String {
    format!("listeners: [{{name: web, bind: \"127.0.0.1:0\", tls: {{{tls}}}}}]\n{rest}")
}

/// The alternative names in the certificate a client is shown.
pub(super) async fn shown(addr: SocketAddr, tls: &ClientTls) -> io::Result<Vec<String>> {
    let secured = RawClient::connect_tls(addr, tls).await?.secured();
    Ok(secured.expect("it is TLS").peer_names)
}

/// Asks once on a connection of its own, and says whether it resumed a session.
async fn resumes(addr: SocketAddr, tls: &ClientTls) -> io::Result<bool> {
    let mut client = RawClient::connect_tls(addr, tls).await?;
    client.exchange(GET).await?;
    Ok(client.secured().expect("it is TLS").resumed)
}

/// Shakes hands as `openssl s_client` does with these arguments, and returns all it says.
async fn openssl(addr: SocketAddr, arguments: &[&str]) -> io::Result<String> {
    openssl_saying(addr, arguments, "").await
}

/// The same, with something to say once the handshake is over.
async fn openssl_saying(addr: SocketAddr, arguments: &[&str], said: &str) -> io::Result<String> {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &addr.to_string()]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn()?;
    let mut stdin = child.stdin.take().expect("it was piped just above");
    // A handshake that was refused leaves nobody to listen.
    let _ = stdin.write_all(said.as_bytes()).await;
    drop(stdin);
    let output = within(DEADLINE, "end of openssl", child.wait_with_output()).await?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}
