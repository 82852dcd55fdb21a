//! A call that a handler works on.

use std::{fmt, sync::Arc};

use crate::{
    codec::{Reader, Undecodable},
    connection::Incoming,
    server::{Answer, Upload},
    shape::Reply,
    value::{AnswerWith, Item},
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
    pub fn undecodable(self, error: Undecodable) {
        self.answer.undecodable(error);
    }

    /// A one-way function is through.
    #[inline(never)]
    pub fn done(self) {
        self.answer.done();
    }

    /// A value, or the method's error.
    #[inline]
    pub fn reply<T, E>(self, result: Result<T, E>, shape: Reply<T, E>) {
        let Reply { value, error, .. } = shape;
        self.answer(result, value.answer, error.answer);
    }

    /// It takes functions and not the shape, so that they are passed in registers; and it is no part of a handler, since
    /// there are as many of these as there are methods, and fewer types.
    #[inline(never)]
    fn answer<T, E>(self, result: Result<T, E>, with: AnswerWith<T>, with_error: AnswerWith<E>) {
        match result {
            Ok(mut value) => with(self.answer, Status::Ok, &mut value),
            Err(mut error) => with_error(self.answer, Status::App, &mut error),
        }
    }
}

impl Incoming<'_> {
    /// Reads the arguments, as long as they are here.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self.payload.bytes())
    }

    /// The call for its handler. It must be asked for before the [payload](Self::payload).
    #[inline(never)]
    pub fn handling<S>(&self, state: &Arc<S>) -> Handling<S> {
        Handling { answer: self.answer(), state: Arc::clone(state) }
    }

    /// The arguments could not be decoded.
    #[cold]
    pub(crate) fn undecodable(&self, error: Undecodable) {
        self.answer().undecodable(error);
    }
}

impl<S> fmt::Debug for Handling<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").field("answer", &self.answer).finish_non_exhaustive()
    }
}
