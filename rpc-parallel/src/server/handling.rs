//! A call that a handler works on.

use std::{fmt, sync::Arc};

use crate::{
    codec::{Reader, Undecodable},
    connection::Incoming,
    handler::Loan,
    server::{Answer, Upload},
    shape::Reply,
    value::Item,
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

    /// A value, or the method's error.
    #[inline]
    pub fn reply<T, E>(self, result: Result<T, E>, shape: Reply<T, E>) -> Arc<S> {
        let Reply { value, error, .. } = shape;
        let Self { answer, state } = self;
        answer.reply(result, value.answer, error.answer);
        state
    }
}

impl Incoming<'_> {
    /// Reads the arguments, as long as they are here.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self.payload.bytes())
    }

    /// The call for its handler. It must be asked for before the [payload](Self::payload).
    #[inline(never)]
    pub fn handling<S>(&self, state: &mut Loan<S>) -> Handling<S> {
        Handling { answer: self.answer(), state: state.take() }
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
