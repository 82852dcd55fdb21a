//! Replies, decoded into what the method's caller expects.

use serde::de::DeserializeOwned;

use crate::{
    client::{CallError, Streaming},
    codec::{self, CodecError},
    connection::{RawDownload, RawReply, TooBig},
    fault::PanicReport,
    wire::Status,
};

impl RawReply {
    /// A one-way message is sent.
    pub(crate) fn sent(&mut self) -> Result<(), CallError> {
        self.check()
    }

    /// A plain value.
    pub(crate) fn plain<T: DeserializeOwned + 'static>(&mut self) -> Result<T, CallError> {
        self.check()?;
        self.decode()
    }

    /// A value or the method's own error.
    pub(crate) fn fallible<T: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        &mut self,
    ) -> Result<T, CallError<E>> {
        self.check_app()?;
        self.decode().map_err(CallError::widen)
    }

    /// A stream.
    pub(crate) fn streamed<I: DeserializeOwned + 'static>(&mut self) -> Result<Streaming<I>, CallError> {
        self.check()?;
        self.stream().map(Streaming::new)
    }

    /// A stream or the method's own error.
    pub(crate) fn fallible_streamed<I: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        &mut self,
    ) -> Result<Streaming<I>, CallError<E>> {
        self.check_app()?;
        self.stream().map(Streaming::new).map_err(CallError::widen)
    }

    /// A first value and its updates.
    pub(crate) fn state<T: DeserializeOwned + 'static, I: DeserializeOwned + 'static>(
        &mut self,
    ) -> Result<(T, Streaming<I>), CallError> {
        self.check()?;
        Ok((self.decode()?, self.stream().map(Streaming::new)?))
    }

    /// A first value and its updates, or the method's own error.
    pub(crate) fn fallible_state<T, I, E>(&mut self) -> Result<(T, Streaming<I>), CallError<E>>
    where
        T: DeserializeOwned + 'static,
        I: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        self.check_app()?;
        let (value, stream) = (self.decode().map_err(CallError::widen)?, self.stream().map_err(CallError::widen)?);
        Ok((value, Streaming::new(stream)))
    }

    fn stream(&mut self) -> Result<RawDownload, CallError> {
        match self.download.take() {
            Some(download) => Ok(*download),
            None => Err(CallError::Mismatch("the worker replied without the stream that the method returns".into())),
        }
    }

    #[inline]
    fn check(&mut self) -> Result<(), CallError> {
        if self.status == Status::Ok { Ok(()) } else { Err(self.error()) }
    }

    #[inline]
    fn check_app<E: DeserializeOwned + 'static>(&mut self) -> Result<(), CallError<E>> {
        match self.status {
            Status::Ok => Ok(()),
            Status::App => Err(match codec::decode_payload(&mut self.payload) {
                Ok(error) => CallError::App(error),
                Err(error) => undecodable("the method's error", &error).widen(),
            }),
            _ => Err(self.error().widen()),
        }
    }

    #[inline]
    fn decode<T: DeserializeOwned + 'static>(&mut self) -> Result<T, CallError> {
        codec::decode_payload(&mut self.payload).map_err(|error| undecodable("the reply", &error))
    }

    /// Why there is no value.
    #[cold]
    fn error(&mut self) -> CallError {
        match self.failure.take() {
            Some(failure) => CallError::from_failure(*failure),
            None => failure(self.status, &self.payload),
        }
    }
}

#[cold]
fn undecodable(what: &str, error: &CodecError) -> CallError {
    CallError::Decode(format!("{what} cannot be decoded: {error}"))
}

/// The error that a status other than ok stands for.
#[cold]
pub(crate) fn failure(status: Status, payload: &[u8]) -> CallError {
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
