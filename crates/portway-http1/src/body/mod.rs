//! Bodies: how they are framed, decoded and encoded (RFC 9112 sections 6 and 7).

mod chunked;
mod decode;
mod encode;

#[cfg(test)]
mod tests;

pub use decode::{Decoded, Decoder};
pub(crate) use encode::{Encoder, Mismatch};

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// By its length.
    Length(u64),
    /// By its chunks.
    Chunked,
    /// By the end of the connection; answers only.
    UntilClose,
}

impl Framing {
    /// How a body of this size is sent: by length where it is known, else in chunks.
    #[must_use]
    pub fn of(is_end: bool, hint: &http_body::SizeHint) -> Self {
        match hint.exact() {
            _ if is_end => Self::None,
            Some(length) => Self::Length(length),
            None => Self::Chunked,
        }
    }
}
