//! The keyboard, one key at a time.

use std::io::{self, Read, Stdin};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use tokio::sync::mpsc;

/// The terminal as long as keys are read: what is typed comes at once and is not shown. It is put
/// back as it was on drop.
pub(super) struct Keys {
    input: Stdin,
    before: Termios,
    typed: mpsc::UnboundedReceiver<u8>,
}

impl Keys {
    pub(super) fn open() -> io::Result<Self> {
        let input = io::stdin();
        let before = tcgetattr(&input)?;
        let mut raw = before.clone();
        // Ctrl-C comes as a key, so that the terminal is put back first.
        raw.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&input, OptionalActions::Now, &raw)?;
        let (sender, typed) = mpsc::unbounded_channel();
        // It waits for a key for as long as the process lives: nothing else reads them.
        std::thread::spawn(move || {
            let mut byte = [0];
            while let Ok(1) = io::stdin().lock().read(&mut byte) {
                if sender.send(byte[0]).is_err() {
                    return;
                }
            }
        });
        Ok(Self { input, before, typed })
    }

    /// The next key; `None` when the terminal is gone.
    pub(super) async fn next(&mut self) -> Option<u8> {
        self.typed.recv().await
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.input, OptionalActions::Now, &self.before);
    }
}
