//! The arguments of one call, encoded on the caller's task.

use std::fmt;

use futures_core::Stream;

use crate::{
    client::{Call, CallError, ClientCore},
    codec::{self, CodecError},
    connection::{Draft, RawCall, RawSender, TooBig},
    function::Function,
    shape::Shape,
    value::{Encode, LentOption},
};

/// Collects the arguments of one call, in order. The first error is kept and becomes the call's.
pub struct Arguments<'a> {
    core: &'a ClientCore,
    function: &'static Function,
    draft: Box<Draft>,
    error: Option<Box<CallError>>,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call of `function`.
    pub fn new(core: &'a ClientCore, function: &'static Function) -> Self {
        Self { core, function, draft: Draft::new(), error: None }
    }

    /// Adds an argument.
    pub fn put<T: ?Sized>(&mut self, name: &'static str, value: &T, encode: Encode<T>) {
        if self.error.is_none() {
            let result = encode.encode(value, self.draft.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds an argument that may be absent.
    pub fn put_option<T: ?Sized, H>(&mut self, name: &'static str, value: Option<&T>, encode: LentOption<'_, T, H>) {
        if self.error.is_none() {
            let result = encode.encode(value, self.draft.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds an argument that is bytes, without a call for each of them.
    pub fn put_bytes(&mut self, name: &'static str, bytes: &[u8]) {
        if self.error.is_none() {
            let result = codec::encode_bytes(bytes, self.draft.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds a stream that the caller sends. It is polled by a task of its own once the call is sent.
    pub fn upload<S>(&mut self, stream: S, encode: Encode<S::Item>)
    where
        S: Stream<Item: Send + 'static> + Send + 'static,
    {
        self.draft.add_upload(Box::new(move |sender: RawSender| {
            tokio::spawn(sender.pump(stream, encode));
        }));
    }

    /// The call.
    pub fn call<S: Shape>(self, shape: S) -> Call<S::Value, S::Error> {
        Call::new(self.raw(false), shape.decoder())
    }

    /// The message without a reply.
    pub fn send(self) -> Call<()> {
        Call::one_way(self.raw(true), || ())
    }

    fn note(&mut self, name: &str, result: Result<(), CodecError>) {
        let Err(error) = result else { return };
        self.error = Some(Box::new(match error {
            CodecError::TooLarge { size, limit } => {
                TooBig::new(size, limit, format!("the arguments of `{}`, up to `{name}`,", self.function.name)).into()
            }
            error => CallError::Decode(format!(
                "the argument `{name}` of `{}` cannot be encoded: {error}",
                self.function.name
            )),
        }));
    }

    fn raw<E>(self, one_way: bool) -> Result<RawCall, CallError<E>> {
        if let Some(error) = self.error {
            return Err(error.widen());
        }
        self.core.check(self.function).map_err(CallError::widen)?;
        let connection = self.core.connection().clone();
        Ok(RawCall::new(connection, self.function.id, one_way, self.draft))
    }
}

impl fmt::Debug for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments").field("function", &self.function.name).finish_non_exhaustive()
    }
}
