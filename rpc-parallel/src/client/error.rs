//! Why a call has no value.

use std::{convert::Infallible, sync::Arc, time::Duration};

use crate::{
    connection::{CallFailure, ConnectionLost, Terminal, TooBig},
    death::DeathReport,
    fault::PanicReport,
};

/// Why a call, or an item of a stream, has no value.
///
/// The classes are disjoint. `E` is the method's own error; a method that returns a plain value has none, which the
/// default `Infallible` says.
///
/// But for an `E` that is longer it has four words, for it is moved wherever a call is awaited: what is longer is in a box.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The method ran and returned this error. The worker lives.
    #[error("{0}")]
    App(E),
    /// The method panicked. The worker lives.
    #[error("the worker's method {0}; the worker lives on")]
    Panicked(Box<PanicReport>),
    /// The worker's process has ended. The method may have run, in part or to its end.
    ///
    /// The process that spawned the worker knows everything about its end; another one what the kernel tells it, which has
    /// no lines of stderr, and comes as [`Disconnected`](Self::Disconnected) where the kernel does not tell (Linux before
    /// 6.15, other systems).
    #[error("{0}")]
    WorkerDied(Arc<DeathReport>),
    /// The connection ended, and how the worker fares is not known. The method may have run.
    #[error(transparent)]
    Disconnected(ConnectionLost),
    /// The call took longer than its deadline allows. The worker has dropped it.
    #[error("no reply within the deadline of {0:?}; allow the call more time with `.deadline(..)` or make it faster")]
    DeadlineExceeded(Duration),
    /// The call was cancelled: its connection was told to close, or the producer of its stream was dropped.
    #[error("the call was cancelled: {0}")]
    Cancelled(String),
    /// The arguments, the reply or an item could not be encoded or decoded.
    #[error(
        "{0}; make sure that the type's `Serialize` and `Deserialize` fit together, and avoid serde attributes that need a self-describing format, such as `flatten`, `untagged` and `skip_serializing_if`"
    )]
    Decode(String),
    /// A message exceeds the size limit of one side, and was not sent.
    #[error("{0}")]
    TooBig(Box<TooBig>),
    /// The worker does not know this function, or knows it with another signature: it runs another build.
    #[error("{0}")]
    Mismatch(String),
}

impl<E> CallError<E> {
    /// Whether the method itself returned the error.
    pub fn is_app(&self) -> bool {
        matches!(self, Self::App(_))
    }

    /// Whether the method panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// Whether the worker's process has ended.
    pub fn is_worker_died(&self) -> bool {
        matches!(self, Self::WorkerDied(_))
    }

    /// Whether the worker is out of reach, be it that its process or only the connection has ended.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, Self::WorkerDied(_) | Self::Disconnected(_))
    }

    /// Whether the deadline has passed.
    pub fn is_deadline_exceeded(&self) -> bool {
        matches!(self, Self::DeadlineExceeded(_))
    }

    /// The method's own error, if that is what it is.
    pub fn into_app(self) -> Option<E> {
        match self {
            Self::App(error) => Some(error),
            _ => None,
        }
    }

    /// The same error with the method's own error converted.
    pub fn map_app<F>(self, convert: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            Self::App(error) => CallError::App(convert(error)),
            Self::Panicked(report) => CallError::Panicked(report),
            Self::WorkerDied(report) => CallError::WorkerDied(report),
            Self::Disconnected(lost) => CallError::Disconnected(lost),
            Self::DeadlineExceeded(limit) => CallError::DeadlineExceeded(limit),
            Self::Cancelled(text) => CallError::Cancelled(text),
            Self::Decode(text) => CallError::Decode(text),
            Self::TooBig(too_big) => CallError::TooBig(too_big),
            Self::Mismatch(text) => CallError::Mismatch(text),
        }
    }

    pub(crate) fn from_terminal(terminal: Terminal) -> Self {
        match terminal {
            Terminal::Died(report) => Self::WorkerDied(report),
            Terminal::Lost(lost) => Self::Disconnected(lost),
        }
    }

    pub(crate) fn from_failure(failure: CallFailure) -> Self {
        match failure {
            CallFailure::TooBig(too_big) => too_big.into(),
            CallFailure::Closing => Self::Cancelled("the connection is closing and takes no further calls".into()),
            CallFailure::Lost(terminal) => Self::from_terminal(terminal),
            CallFailure::Unencodable(text) => Self::Decode(text),
            CallFailure::Mismatch(text) => Self::Mismatch(text),
            CallFailure::DeadlineExceeded(deadline) => Self::DeadlineExceeded(deadline),
            CallFailure::Over => Self::Cancelled("the call was polled again after its end".into()),
        }
    }
}

impl CallError {
    /// The same error for a method with an error of its own.
    pub fn widen<E>(self) -> CallError<E> {
        self.map_app(|never| match never {})
    }
}

impl<E> From<TooBig> for CallError<E> {
    fn from(too_big: TooBig) -> Self {
        Self::TooBig(Box::new(too_big))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_four_words_and_a_result_no_more() {
        assert_eq!(size_of::<CallError>(), 32);
        assert_eq!(size_of::<Result<u64, CallError>>(), 32);
    }
}
