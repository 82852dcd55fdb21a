//! How a call or a stream ended.

use std::fmt;

use super::varint::{put_varint, take_varint};

/// How a call or a stream ended. What its payload holds depends on it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Status {
    /// The handler's value; the payload of an `End` is empty.
    #[default]
    Ok = 0,
    /// The handler's own error.
    App = 1,
    /// The handler panicked.
    Panic = 2,
    /// The deadline passed before the handler was done. The payload is text.
    Deadline = 3,
    /// The caller cancelled. The payload is text.
    Cancelled = 4,
    /// The arguments could not be decoded. The payload is text.
    Undecodable = 5,
    /// What should have been sent is larger than the limit. The payload is a [`TooBig`].
    TooBig = 6,
    /// There is no such function, or its signature differs. The payload is text.
    Mismatch = 7,
    /// The side does not take calls (any more). The payload is text.
    Refused = 8,
}

impl Status {
    /// Reads a status.
    #[inline]
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Ok,
            1 => Self::App,
            2 => Self::Panic,
            3 => Self::Deadline,
            4 => Self::Cancelled,
            5 => Self::Undecodable,
            6 => Self::TooBig,
            7 => Self::Mismatch,
            8 => Self::Refused,
            _ => return None,
        })
    }
}

/// A message that was not sent, because it is larger than one of the two sides allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a message of {size} bytes is larger than the limit of {limit} bytes; raise `Settings::max_message_size`")]
pub(crate) struct TooBig {
    /// The message's size.
    pub(crate) size: usize,
    /// The limit, the smaller one of the two sides'.
    pub(crate) limit: usize,
}

impl TooBig {
    /// Fails if a message of this size is above the limit.
    pub(crate) fn check(size: usize, limit: usize) -> Result<(), Self> {
        if size > limit { Err(Self { size, limit }) } else { Ok(()) }
    }

    /// The payload of [`Status::TooBig`]: size, limit, and the text of what was too big.
    pub(crate) fn payload(self, what: impl fmt::Display) -> Vec<u8> {
        let mut payload = Vec::new();
        put_varint(&mut payload, self.size as u64);
        put_varint(&mut payload, self.limit as u64);
        payload.extend_from_slice(what.to_string().as_bytes());
        payload
    }

    /// Reads the payload of [`Status::TooBig`].
    pub(crate) fn from_payload(mut payload: &[u8]) -> Option<(Self, String)> {
        let size = usize::try_from(take_varint(&mut payload)?).ok()?;
        let limit = usize::try_from(take_varint(&mut payload)?).ok()?;
        Some((Self { size, limit }, String::from_utf8_lossy(payload).into_owned()))
    }
}
