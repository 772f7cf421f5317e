//! What a document may cost before it is understood.

use portway_plugin::Problem;

use super::{Flaw, Mark};

/// How deep lists and maps may nest. The deepest configuration needs a dozen.
pub(super) const DEPTH: usize = 64;

/// How many values all aliases together may stand for. A file that needs more is a bomb.
pub(super) const ALIASED: usize = 1_000_000;

/// Refuses what no editor writes: control characters are what a torn write or a binary file
/// leaves, and a parser may take one for the end.
pub(super) fn readable(text: &str) -> Result<(), Vec<Flaw>> {
    let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    // Nearly every file is ASCII without one: look at bytes first.
    if !text.bytes().any(|b| b >= 0x7f || (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'))) {
        return Ok(());
    }
    let mut mark = Mark { line: 1, column: 1 };
    for c in text.chars() {
        if bad(c) {
            let code = u32::from(c);
            let message = format!("the control character U+{code:04X} is not text");
            return Err(vec![Flaw::new(Problem::new("control_character", message), mark)]);
        }
        mark.pass(c);
    }
    Ok(())
}

pub(super) fn too_deep(mark: Mark) -> Flaw {
    let message = format!("lists and maps nest more than {DEPTH} deep");
    Flaw::new(Problem::new("too_deep", message), mark)
}

impl Mark {
    /// Moves behind `c`.
    pub(super) fn pass(&mut self, c: char) {
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
    }
}
