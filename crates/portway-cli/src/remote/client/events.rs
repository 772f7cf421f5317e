//! Server-Sent Events, as they come.

use super::{Failure, Stream};

/// The most bytes of one event.
const MOST: usize = 64 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

/// The events of an answer.
pub(crate) struct Events {
    stream: Stream,
    reader: Reader,
}

impl Events {
    pub(crate) fn of(stream: Stream) -> Self {
        Self { stream, reader: Reader::default() }
    }

    /// The next event, or the cause why there is none.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            if let Some(event) = self.reader.take() {
                return Ok(event);
            }
            match self.stream.next().await {
                Ok(Some(piece)) => self.reader.feed(&piece)?,
                Ok(None) => return Err(Failure::cut("the gateway ended it")),
                Err(cause) => return Err(Failure::cut(&cause)),
            }
        }
    }
}

/// Lines become events; a line may come in pieces.
#[derive(Default)]
struct Reader {
    waiting: Vec<u8>,
}

impl Reader {
    fn feed(&mut self, piece: &[u8]) -> Result<(), Failure> {
        // Every one of the three line ends there are becomes one.
        let is_torn = self.waiting.last() == Some(&b'\r');
        for (at, byte) in piece.iter().enumerate() {
            let before = at.checked_sub(1).map_or(is_torn, |before| piece[before] == b'\r');
            if *byte == b'\n' && before {
                continue;
            }
            self.waiting.push(*byte);
        }
        if self.waiting.len() > MOST {
            return Err(Failure::cut("an event is too long"));
        }
        Ok(())
    }

    /// The first event that is complete. Comments are none.
    fn take(&mut self) -> Option<Event> {
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
        loop {
            let end = self.waiting.windows(2).position(|two| two.iter().all(ends))?;
            let block: Vec<u8> = self.waiting.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&block);
            let (mut event, mut lines) = (Event::default(), Vec::new());
            for line in text.split(['\n', '\r']) {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "id" => value.clone_into(&mut event.id),
                    "event" => value.clone_into(&mut event.name),
                    "data" => lines.push(value),
                    _ => {}
                }
            }
            if !lines.is_empty() {
                event.data = lines.join("\n");
                return Some(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_any_pieces() {
        let text = ": ping\r\n\r\nid: 7\r\nevent: revision\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n\
                    data: x\n\nid: 9\n";
        for size in 1..text.len() {
            let (mut reader, mut events) = (Reader::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                reader.feed(piece).unwrap();
                events.extend(std::iter::from_fn(|| reader.take()));
            }
            let first = Event {
                id: "7".to_owned(),
                name: "revision".to_owned(),
                data: "{\"a\":\n1}".to_owned(),
            };
            let second = Event { data: "x".to_owned(), ..Event::default() };
            assert_eq!(events, [first, second], "{size}");
        }
    }
}
