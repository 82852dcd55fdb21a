//! Why a value was not written or read.

use super::CodecError;

/// Why a value was not written or read: in one word, so that it costs nothing to pass on where there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The bytes end before the value does. It may be said after each part of a value, and so is said without a call.
    #[error("cannot decode: {}", postcard::Error::DeserializeUnexpectedEnd)]
    End,
    /// Anything else.
    #[error(transparent)]
    Other(Box<CodecError>),
}

impl Refused {
    /// The error by itself.
    #[cold]
    pub(crate) fn into_error(self) -> CodecError {
        match self {
            Self::End => CodecError::Decode(postcard::Error::DeserializeUnexpectedEnd.to_string()),
            Self::Other(error) => *error,
        }
    }

    /// The same of a message before which there were so many bytes of others.
    #[cold]
    pub(super) fn after(self, others: usize) -> Self {
        Self::Other(Box::new(self.into_error().after(others)))
    }
}
