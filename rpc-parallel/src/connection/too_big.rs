//! A message over its limit, and what it was.

use std::fmt;

use crate::wire;

/// A message that exceeds the size limit of one side, and was not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TooBig {
    /// What was too big.
    pub what: String,
    /// Its size in bytes.
    pub size: u64,
    /// The limit in bytes.
    pub limit: u64,
}

impl fmt::Display for TooBig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, size, limit } = self;
        write!(
            f,
            "{what} would take {size} bytes, and the limit is {limit}; raise `Settings::max_message_size` or send it as a stream of smaller items"
        )
    }
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
