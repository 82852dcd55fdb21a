//! A message over its limit, and what it was.

use crate::wire;

/// What was too big, how big, and the limit.
#[derive(Clone, Debug, Eq, PartialEq)]
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
    pub(crate) fn payload(size: usize, limit: usize, what: &str) -> Vec<u8> {
        wire::TooBig { size, limit }.payload(what)
    }

    pub(crate) fn decode(payload: &[u8]) -> Self {
        match wire::TooBig::from_payload(payload) {
            Some((wire::TooBig { size, limit }, what)) => Self::new(size, limit, what),
            None => Self::new(0, 0, "a message"),
        }
    }
}
