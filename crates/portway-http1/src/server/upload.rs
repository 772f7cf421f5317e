//! The request body that a connection is in the middle of.

use std::task::Waker;

use crate::{body::Decoder, transport::Progress};

/// The request body that a connection is in the middle of.
#[derive(Debug)]
pub(super) struct Upload {
    /// Counts the requests: a body of an earlier one reads nothing any more.
    pub(super) number: u64,
    pub(super) decoder: Decoder,
    pub(super) holder: Holder,
    /// The client waits for `100 Continue`.
    pub(super) expects: bool,
    /// It is told to go on when the body is first asked for, and not by the service.
    pub(super) prompts: bool,
    /// Who waits for more of it.
    pub(super) reader: Option<Waker>,
    pub(super) progress: Progress,
    /// It took too long.
    pub(super) late: bool,
}

/// Who has a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Nobody any more: it was read to its end.
    Ended,
    /// The service, or whom it gave it to.
    Service,
    /// Nobody, and it was not read to its end.
    Dropped,
}

impl Upload {
    pub(super) fn none() -> Self {
        Self {
            number: 0,
            decoder: Decoder::new(crate::body::Framing::None),
            holder: Holder::Ended,
            expects: false,
            prompts: false,
            reader: None,
            progress: Progress::default(),
            late: false,
        }
    }

    /// The next request begins.
    pub(super) fn begin(&mut self, decoder: Decoder, expects: bool, prompts: bool) {
        self.number += 1;
        self.holder = if decoder.is_done() { Holder::Ended } else { Holder::Service };
        self.decoder = decoder;
        self.expects = expects;
        self.prompts = prompts;
        self.progress = Progress::default();
        self.late = false;
    }

    /// Takes it from whoever holds it: what is left is read, and thrown away, by the connection.
    pub(super) fn revoke(&mut self) {
        self.number += 1;
        if self.holder == Holder::Service {
            self.holder = Holder::Dropped;
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}
