//! Documents of other gateways, read into the same resources. Pure: text in, resources out, with
//! every problem at its place in the document as it was written.

pub(crate) mod restgate;
