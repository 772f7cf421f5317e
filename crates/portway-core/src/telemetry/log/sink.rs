//! Where the subscriber writes its lines.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tracing_subscriber::fmt::MakeWriter;

use crate::telemetry::{
    escape::{is_harmful, push_code},
    lines::Pen,
};

/// The log's pen. All threads share it: what the process says is rare, the request path has the
/// access log.
pub(super) struct Sink {
    pen: Arc<Pen<()>>,
    /// The text form writes values as they are: what could break a line or move a terminal's
    /// cursor is escaped here. The JSON form has done so itself.
    escapes: bool,
}

impl Sink {
    pub(super) fn new(pen: Arc<Pen<()>>, escapes: bool) -> Self {
        Self { pen, escapes }
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = &'a Sink;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// Each write is one line: the subscriber formats an event whole before it writes.
impl Write for &Sink {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = event.strip_suffix(b"\n").unwrap_or(event);
        self.pen.line(|(), out| {
            if self.escapes {
                push_visible(out, line);
            } else {
                out.extend_from_slice(line);
            }
            out.push(b'\n');
        });
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn push_visible(out: &mut Vec<u8>, line: &[u8]) {
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                _ if is_harmful(character) => push_code(out, character),
                _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}
