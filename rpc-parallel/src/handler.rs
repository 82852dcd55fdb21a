//! What runs a function on the worker: the handler that the macro writes, and the table of one connection.

use std::{fmt, pin::Pin, sync::Arc};

use crate::{
    connection::Incoming,
    function::{Function, Interface},
};

/// Runs one function of a worker trait on the connection state `S`.
pub struct Handler<S> {
    /// The function.
    pub function: &'static Function,
    /// Takes the call over.
    pub invoke: fn(Arc<S>, Incoming) -> Work,
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("function", &self.function.name).finish_non_exhaustive()
    }
}

/// What is left to do for a call after its handler was entered.
pub enum Work {
    /// Nothing: it is answered.
    Done,
    /// Poll this.
    Future(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// Run this where blocking is allowed.
    Blocking(Box<dyn FnOnce() + Send>),
}

impl Work {
    /// Work for the runtime.
    pub fn future(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::Future(Box::pin(work))
    }

    /// Work for the blocking pool.
    pub fn blocking(work: impl FnOnce() + Send + 'static) -> Self {
        Self::Blocking(Box::new(work))
    }

    /// Work that is done at once.
    pub fn inline(work: impl FnOnce()) -> Self {
        work();
        Self::Done
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "Work::Done",
            Self::Future(_) => "Work::Future",
            Self::Blocking(_) => "Work::Blocking",
        })
    }
}

/// The functions of one connection, their state's type forgotten.
pub trait Dispatch: Send + Sync {
    /// The functions, each at the index by which [`invoke`](Self::invoke) knows it.
    fn functions(&self) -> &'static [Function];

    /// Enters the handler of the function at `index`, which must be one of [`functions`](Self::functions).
    fn invoke(&self, index: usize, incoming: Incoming) -> Work;
}

/// The one [`Dispatch`]: a connection state and the table of its handlers.
pub(crate) struct Dispatcher<S: 'static> {
    pub(crate) state: Arc<S>,
    pub(crate) interface: &'static Interface,
    pub(crate) handlers: &'static [Handler<S>],
}

impl<S: Send + Sync + 'static> Dispatch for Dispatcher<S> {
    fn functions(&self) -> &'static [Function] {
        self.interface.functions
    }

    fn invoke(&self, index: usize, incoming: Incoming) -> Work {
        (self.handlers[index].invoke)(Arc::clone(&self.state), incoming)
    }
}
