//! Why a value was not written or read.

use super::CodecError;

/// Why a value was not written or read: in one word, so that it costs nothing to pass on where there is none.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Refused(pub(crate) Box<CodecError>);
