//! Heads: where one ends, what it says, how one is written.
//!
//! A head is read only once it is whole: [`Scan`] finds its end in what has come so far, each byte
//! looked at once however the peer splits it, and refuses bare line feeds on the way. Header
//! values are slices of the bytes that were read.

mod date;
mod encode;
mod fields;
mod request;
mod response;
mod scan;
mod spelling;

#[cfg(test)]
mod tests;

pub use encode::{Connection, encode_request, encode_response};
pub use fields::{FieldLines, FieldWriter, MoreFields};
pub use request::{RequestHead, parse_request};
pub use response::{ResponseHead, parse_response};
pub use scan::Scan;
pub use spelling::Spelling;

pub(crate) use scan::find_lf;

pub(crate) use encode::{encode_interim, encode_request_with, encode_response_with, says_close};
pub(crate) use fields::{encode_trailers, parse_trailers};
pub(crate) use response::has_no_body;
