//! What a process has printed so far.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;

use crate::deadline::within;
use crate::task::Task;

/// The lines of both streams, in the order in which they were read.
pub(super) struct Output {
    lines: watch::Receiver<Vec<Line>>,
    _readers: [Task; 2],
}

#[derive(Clone)]
struct Line {
    stream: Stream,
    text: String,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stream {
    Out,
    Err,
}

impl Output {
    pub(super) fn of(
        stdout: impl AsyncRead + Send + Unpin + 'static,
        stderr: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        let (sender, lines) = watch::channel(Vec::new());
        let readers = [
            Task::spawn(read(stdout, Stream::Out, sender.clone())),
            Task::spawn(read(stderr, Stream::Err, sender)),
        ];
        Self { lines, _readers: readers }
    }

    pub(super) fn stream(&self, stream: Stream) -> Vec<String> {
        let lines = self.lines.borrow();
        lines.iter().filter(|line| line.stream == stream).map(|line| line.text.clone()).collect()
    }

    /// Everything, for the text of an error.
    pub(super) fn text(&self) -> String {
        let lines = self.lines.borrow();
        if lines.is_empty() {
            return "it printed nothing".to_owned();
        }
        let list: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        format!("it printed:\n{}", list.join("\n"))
    }

    /// The first line for which `wanted` holds, now or later.
    pub(super) async fn wait_for(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> io::Result<String> {
        let mut lines = self.lines.clone();
        let mut looked_at = 0;
        let found = async {
            loop {
                // The reference ends before the wait: it is a lock.
                let found = {
                    let seen = lines.borrow_and_update();
                    let fresh = seen.iter().skip(looked_at).find(|line| wanted(&line.text));
                    let found = fresh.map(|line| line.text.clone());
                    looked_at = seen.len();
                    found
                };
                if let Some(found) = found {
                    return Ok(found);
                }
                if lines.changed().await.is_err() {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
            }
        };
        within(limit, "such line", found).await.map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::UnexpectedEof => "the output ended without such a line".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("{what}; {}", self.text()))
        })
    }

    /// Waits until both streams have ended, or not: a grandchild may hold them open.
    pub(super) async fn drain(&self, limit: Duration) {
        let mut lines = self.lines.clone();
        let ended = async { while lines.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(limit, ended).await;
    }
}

async fn read(stream: impl AsyncRead + Unpin, which: Stream, lines: watch::Sender<Vec<Line>>) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    // An error reads as the end: there is nothing more to see.
    while let Ok(1..) = stream.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        lines.send_modify(|lines| lines.push(Line { stream: which, text }));
        line.clear();
    }
}
