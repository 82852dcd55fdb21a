//! What runs a function on the worker: the handler that the macro writes, and the table of one connection.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    connection::{Incoming, keep_spare, take_spare},
    function::{Function, Interface},
};

/// Runs one function of a worker trait on the connection state `S`.
pub struct Handler<S> {
    /// The function.
    pub function: &'static Function,
    /// Takes the call over.
    pub invoke: fn(Arc<S>, &mut Incoming<'_>) -> Work,
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("function", &self.function.name).finish_non_exhaustive()
    }
}

/// What is left to do for a call after its handler was entered.
#[derive(Debug)]
pub struct Work(pub(crate) Rest);

/// The rest of a handler.
pub(crate) enum Rest {
    /// Nothing: it is answered.
    Done,
    /// Poll this.
    Later(Pin<Box<dyn Later>>),
    /// Run this where blocking is allowed.
    Blocking(Box<dyn FnOnce() + Send>),
}

/// A handler that was not through when it was entered.
pub(crate) trait Later: Send {
    /// Goes on, until it is ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
}

/// It is `None` where it is ready, so that the memory can be used again.
impl<F: Future<Output = ()> + Send> Later for Option<F> {
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.as_pin_mut().map_or(Poll::Ready(()), |work| work.poll(cx))
    }
}

/// Memory for the next future of the same type. It is a box that stays where it is, around one that comes and goes.
type Spare<F> = Option<Pin<Box<Option<F>>>>;

/// Larger futures leave no memory behind.
const KEPT: usize = 4 << 10;

/// Where the future of a handler will be. It is there before what goes into it is.
pub struct Place<F> {
    spare: Box<Spare<F>>,
    place: Pin<Box<Option<F>>>,
}

impl<F: Future<Output = ()> + Send + 'static> Place<F> {
    /// Memory for a future.
    #[inline]
    pub fn take() -> Self {
        let spare = take_spare().and_then(|spare| spare.downcast::<Spare<F>>().ok());
        let mut spare: Box<Spare<F>> = spare.unwrap_or_default();
        let place = spare.take().unwrap_or_else(|| Box::pin(None));
        Self { spare, place }
    }

    /// Enters a handler here: most are through at once.
    #[inline]
    pub fn enter(self, work: F) -> Work {
        let Self { mut spare, mut place } = self;
        place.set(Some(work));
        // Nobody needs to be woken: what is not ready is polled again by its task at once.
        if place.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Work(Rest::Later(place));
        }
        place.set(None);
        if size_of::<F>() <= KEPT {
            *spare = Some(place);
            keep_spare(spare);
        }
        Work::done()
    }
}

impl<F> fmt::Debug for Place<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

impl Work {
    /// Work for the blocking pool.
    pub fn blocking(work: impl FnOnce() + Send + 'static) -> Self {
        Self(Rest::Blocking(Box::new(work)))
    }

    /// No work.
    #[inline]
    pub fn done() -> Self {
        Self(Rest::Done)
    }

    /// Work that is done at once.
    #[inline]
    pub fn inline(work: impl FnOnce()) -> Self {
        work();
        Self(Rest::Done)
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "Rest::Done",
            Self::Later(_) => "Rest::Later",
            Self::Blocking(_) => "Rest::Blocking",
        })
    }
}

/// The functions of one connection, their state's type forgotten.
pub trait Dispatch: Send + Sync {
    /// The functions, each at the index by which [`invoke`](Self::invoke) knows it.
    fn functions(&self) -> &'static [Function];

    /// Enters the handler of the function at `index`, which must be one of [`functions`](Self::functions). The call must
    /// be the current one.
    fn invoke(&self, index: usize, incoming: &mut Incoming<'_>) -> Work;
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

    #[inline]
    fn invoke(&self, index: usize, incoming: &mut Incoming<'_>) -> Work {
        (self.handlers[index].invoke)(Arc::clone(&self.state), incoming)
    }
}
