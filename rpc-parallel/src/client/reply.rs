//! Replies, decoded into what the method's caller expects.

use serde::de::DeserializeOwned;

use crate::{
    client::{CallError, Streaming},
    codec,
    connection::{RawReply, TooBig},
    fault::PanicReport,
    wire::Status,
};

impl RawReply {
    /// A plain value.
    pub(crate) fn plain<T: DeserializeOwned + 'static>(self) -> Result<T, CallError> {
        self.check()?;
        decode(&self.payload, "the reply")
    }

    /// A value or the method's own error.
    pub(crate) fn fallible<T: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        self,
    ) -> Result<T, CallError<E>> {
        self.check_app()?;
        decode(&self.payload, "the reply")
    }

    /// A stream.
    pub(crate) fn streamed<I: DeserializeOwned + 'static>(self) -> Result<Streaming<I>, CallError> {
        self.check()?;
        self.stream()
    }

    /// A stream or the method's own error.
    pub(crate) fn fallible_streamed<I: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        self,
    ) -> Result<Streaming<I>, CallError<E>> {
        self.check_app()?;
        self.stream()
    }

    /// A first value and its updates.
    pub(crate) fn state<T: DeserializeOwned + 'static, I: DeserializeOwned + 'static>(
        self,
    ) -> Result<(T, Streaming<I>), CallError> {
        self.check()?;
        Ok((decode(&self.payload, "the first value")?, self.stream()?))
    }

    /// A first value and its updates, or the method's own error.
    pub(crate) fn fallible_state<T, I, E>(self) -> Result<(T, Streaming<I>), CallError<E>>
    where
        T: DeserializeOwned + 'static,
        I: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        self.check_app()?;
        Ok((decode(&self.payload, "the first value")?, self.stream()?))
    }

    fn stream<I: DeserializeOwned + 'static, E>(self) -> Result<Streaming<I>, CallError<E>> {
        match self.download {
            Some(download) => Ok(Streaming::new(*download)),
            None => Err(CallError::Mismatch("the worker replied without the stream that the method returns".into())),
        }
    }

    fn check<E>(&self) -> Result<(), CallError<E>> {
        if self.status == Status::Ok { Ok(()) } else { Err(failure(self.status, &self.payload)) }
    }

    fn check_app<E: DeserializeOwned + 'static>(&self) -> Result<(), CallError<E>> {
        if self.status == Status::App {
            return Err(match decode(&self.payload, "the method's error") {
                Ok(error) => CallError::App(error),
                Err(error) => error,
            });
        }
        self.check()
    }
}

fn decode<T: DeserializeOwned + 'static, E>(payload: &[u8], what: &str) -> Result<T, CallError<E>> {
    codec::decode_owned(payload).map_err(|error| CallError::Decode(format!("{what} cannot be decoded: {error}")))
}

/// The error that a status other than ok stands for.
pub(crate) fn failure<E>(status: Status, payload: &[u8]) -> CallError<E> {
    let text = || String::from_utf8_lossy(payload).into_owned();
    match status {
        Status::Panic => {
            CallError::Panicked(codec::decode(payload).unwrap_or_else(|_| PanicReport {
                message: "a report that cannot be decoded".into(),
                location: None,
            }))
        }
        Status::Deadline => CallError::DeadlineExceeded(std::time::Duration::ZERO),
        // Refused because the connection is closing, most likely: the function itself was not looked at.
        Status::Cancelled | Status::Refused => CallError::Cancelled(match payload {
            [] => "the worker gave the call up".into(),
            _ => text(),
        }),
        Status::Undecodable => CallError::Decode(text()),
        Status::TooBig => TooBig::decode(payload).into(),
        Status::Mismatch => CallError::Mismatch(text()),
        Status::Ok | Status::App => {
            CallError::Mismatch("the worker replied with an error that the method does not have".into())
        }
    }
}
