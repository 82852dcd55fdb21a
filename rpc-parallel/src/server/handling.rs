//! A call that a handler works on.

use std::{fmt, sync::Arc};

use serde::Deserialize;

use crate::{
    codec::{self, Reader, Undecodable},
    connection::Incoming,
    handler::Loan,
    server::{Answer, Upload},
    shape::Reply,
    value::Item,
    wire::Status,
};

/// A call that a handler works on: what answers, and what it works with. Both in one, so that a handler has one thing to drop.
pub struct Handling<S> {
    answer: Answer,
    state: Arc<S>,
}

impl<S> Handling<S> {
    /// What the method is called on.
    #[inline]
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Both parts, for an answer that borrows the state.
    #[inline]
    pub fn split(self) -> (Arc<S>, Answer) {
        (self.state, self.answer)
    }

    /// The next stream from the caller.
    pub fn upload<I>(&mut self, item: Item<I>) -> Upload<I> {
        self.answer.upload(item)
    }

    /// The arguments could not be decoded.
    #[cold]
    pub fn undecodable(self, error: Undecodable) -> Arc<S> {
        self.answer.undecodable(error);
        self.state
    }

    /// A one-way function is through.
    #[inline(never)]
    pub fn done(self) -> Arc<S> {
        self.answer.done();
        self.state
    }

    /// A value, or the method's error. It stays where it is, so that there is nothing else to drop if that panics.
    #[inline]
    pub fn reply<T, E>(&mut self, result: Result<T, E>, shape: Reply<T, E>) {
        match result {
            Ok(mut value) => (shape.value.answer)(&mut self.answer, Status::Ok, &mut value),
            Err(mut error) => (shape.error.answer)(&mut self.answer, Status::App, &mut error),
        }
    }

    /// The state, after the [reply](Self::reply): with it all is said, and nothing left that the end of the answer would say.
    #[inline]
    pub fn into_state(self) -> Arc<S> {
        let Self { answer, state } = self;
        answer.forget();
        state
    }
}

impl Incoming<'_> {
    /// All arguments, as `read` takes them, as long as they are here. If they cannot be decoded, the caller is told.
    #[inline]
    pub fn read<'a, T>(&'a self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, Undecodable>) -> Option<T> {
        Reader::read(self.payload.bytes(), None, read).map_err(|error| self.undecodable(error)).ok()
    }

    /// The call for its handler. It must be asked for before the [payload](Self::payload).
    #[inline(never)]
    pub fn handling<S>(&self, state: &mut Loan<S>) -> Handling<S> {
        Handling { answer: self.answer(), state: state.take() }
    }

    #[cold]
    fn undecodable(&self, error: Undecodable) {
        self.answer().undecodable(error);
    }
}

/// The only argument of a call. It is there once for each type, whatever the number of methods.
#[inline(never)]
pub(crate) fn read_only<'a, T: Deserialize<'a>>(incoming: &'a Incoming<'_>, argument: &'static str) -> Option<T> {
    match codec::decode_few(incoming.payload.few()) {
        Some(value) => Some(value),
        None => read_any(incoming, argument),
    }
}

/// The same for any value.
#[inline(never)]
fn read_any<'a, T: Deserialize<'a>>(incoming: &'a Incoming<'_>, argument: &'static str) -> Option<T> {
    incoming.read(|reader| reader.take(argument))
}

impl<S> fmt::Debug for Handling<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").field("answer", &self.answer).finish_non_exhaustive()
    }
}
