//! A message over its limit, as data.

use serde::{Deserialize, Serialize};

/// What was too big, how big, and the limit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct TooBig {
    pub(crate) size: u64,
    pub(crate) limit: u64,
    pub(crate) what: String,
}

impl TooBig {
    pub(crate) fn new(size: usize, limit: usize, what: impl Into<String>) -> Self {
        Self { size: size as u64, limit: limit as u64, what: what.into() }
    }

    /// As the payload of a reply or of a stream's end.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Encoding integers and a string into memory cannot fail.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    pub(crate) fn decode(payload: &[u8]) -> Self {
        postcard::from_bytes(payload).unwrap_or_else(|_| Self::new(0, 0, "a message"))
    }
}
