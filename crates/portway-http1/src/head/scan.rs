//! Where a head ends.

use crate::{error::HeadError, limits::HeadLimits};

/// A method, the two spaces and the version: what a request line has beside its target.
const LINE_BESIDE_TARGET: usize = 32 + 2 + 8;

/// Looks for the end of a head in bytes that come in parts. Each byte is looked at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    /// How far it has looked.
    at: usize,
    /// Where the current line begins.
    line: usize,
    /// Complete lines that are not empty.
    lines: usize,
    /// Where the first line's end is.
    first_end: usize,
}

impl Scan {
    /// Looks at what came, `bytes` being all that has come since the head began. Returns where
    /// the head ends, with the empty line behind it.
    ///
    /// # Errors
    /// A line that ends otherwise than with CRLF, and what is too long already.
    pub fn advance(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        while let Some(found) = find_lf(&bytes[self.at..]) {
            let end = self.at + found;
            if end == self.line || bytes[end - 1] != b'\r' {
                // Not by what came behind it: the same head has the same flaw however it is split.
                return Err(self.too_long(end, limits).unwrap_or(HeadError::LineEnding));
            }
            let is_empty = end == self.line + 1;
            self.at = end + 1;
            self.line = self.at;
            if is_empty {
                return self.within(self.at, limits).map(|()| Some(self.at));
            }
            self.lines += 1;
            if self.lines == 1 {
                self.first_end = self.at;
            }
        }
        self.at = bytes.len();
        self.within(self.at, limits).map(|()| None)
    }

    /// Whether nothing was looked at yet.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.at == 0
    }

    /// The header lines of a head whose end was found.
    #[must_use]
    pub fn fields(&self) -> usize {
        self.lines.saturating_sub(1)
    }

    fn within(&self, length: usize, limits: &HeadLimits) -> Result<(), HeadError> {
        self.too_long(length, limits).map_or(Ok(()), Err)
    }

    fn too_long(&self, length: usize, limits: &HeadLimits) -> Option<HeadError> {
        let first = if self.lines == 0 { length } else { self.first_end };
        if first > limits.target.saturating_add(LINE_BESIDE_TARGET) {
            return Some(HeadError::TargetTooLong);
        }
        if self.fields() > limits.fields {
            return Some(HeadError::TooManyFields);
        }
        (length - first > limits.field_bytes.saturating_add(2)).then_some(HeadError::FieldsTooLarge)
    }
}

/// Where the first line feed is. Lines are short: a call into a library costs more than the search.
pub(crate) fn find_lf(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let zero_where_lf = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'\n'));
        // The lowest high bit marks the first zero byte; a borrow can only mark bytes after it.
        let found = zero_where_lf.wrapping_sub(ONES) & !zero_where_lf & HIGHS;
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let here = rest.iter().position(|byte| *byte == b'\n')?;
    Some(bytes.len() - rest.len() + here)
}
