//! A body as it came.

use std::ops::Deref;

use bytes::Bytes;
use portway_plugin::Body;

/// The bytes of a request's body, as they came: for signatures, or to be passed on. A copy shares
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawBody(Bytes);

impl RawBody {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to keep.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for RawBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for RawBody {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<RawBody> for Body {
    fn from(body: RawBody) -> Self {
        body.0.into()
    }
}
