//! Why a value was not written or read.

use super::CodecError;

/// Why a value was not written or read: in one word, so that it costs nothing to pass on where there is none.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Refused(pub(crate) Box<CodecError>);

impl Refused {
    /// The error by itself.
    #[cold]
    pub(super) fn into_error(self) -> CodecError {
        *self.0
    }

    /// The same of a message before which there were so many bytes of others.
    #[cold]
    pub(super) fn after(self, others: usize) -> Self {
        Self(Box::new(self.0.after(others)))
    }
}
