//! Where the programs of a run live: a folder in memory, free ports, and waiting with a deadline.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A folder in memory, removed at the end. Logs are written there so that no disk takes part.
pub(crate) struct Sandbox {
    folder: PathBuf,
}

impl Sandbox {
    /// Makes the folder.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = parent.join(format!("portway-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // What cannot be removed is left for the operating system; the measurement is over.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Different ports of the loopback address that nobody listens on.
pub(crate) fn free_ports<const N: usize>() -> anyhow::Result<[SocketAddr; N]> {
    let mut held = Vec::new();
    let mut free = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    for address in &mut free {
        let listener = TcpListener::bind(*address).context("cannot get a free port")?;
        *address = listener.local_addr()?;
        held.push(listener);
    }
    Ok(free)
}

/// Asks until there is an answer, or the deadline passes.
pub(crate) fn wait_for<T>(
    limit: Duration,
    every: Duration,
    mut ask: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(Some(answer));
        }
        if start.elapsed() > limit {
            return Ok(None);
        }
        std::thread::park_timeout(every);
    }
}

/// What came back for one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Bytes after the head, with the framing of chunks.
    pub(crate) body: usize,
    chunked: bool,
}

impl Answer {
    /// What a connection brought until it was closed.
    pub(crate) fn read(answer: &[u8]) -> anyhow::Result<Self> {
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            bail!("no answer");
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Self {
            status: status.context("no status in the answer")?,
            body: answer.len() - end - 4,
            chunked: head.contains("\r\ntransfer-encoding: chunked"),
        })
    }

    /// Whether it is a success with a body of this size.
    pub(crate) fn brought(&self, size: usize) -> bool {
        self.status == 200 && if self.chunked { self.body > size } else { self.body == size }
    }
}

/// The key that `bench/wrk/plugins.lua` shows; who asks for none takes no notice of it.
const KEY: &str = "a-key-of-the-benchmark";
/// The token that it shows: of `alice`, signed with HS256, good until 2100.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImJlbmNoIn0.\
    eyJpc3MiOiJiZW5jaCIsInN1YiI6ImFsaWNlIiwiZXhwIjo0MTAyNDQ0ODAwfQ.\
    5dTAUtaYNqjx3h8obN4i7y6JTWb8P2udZIuyXHKSWmw";

/// The answer to one GET on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         apikey: {KEY}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Answer::read(&answer)
}
