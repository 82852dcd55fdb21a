//! What runs a function on the worker: the handler that the macro writes, and the table of one connection.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use crate::{
    codec::Undecodable,
    connection::Incoming,
    function::{Function, Interface},
};

/// Runs one function of a worker trait on the connection state `S`.
pub enum Handler<S> {
    /// An `async fn`: what makes the place of its future.
    Future(fn() -> Place<S>),
    /// A plain `fn`: what takes a call over.
    Plain(fn(&Arc<S>, &mut Incoming<'_>) -> Work),
}

/// Where the futures of one function will be, one after the other.
pub struct Place<S>(Pin<Box<dyn Enter<S>>>);

/// A future that comes and goes, and what makes it of a call.
trait Enter<S>: Send {
    /// Goes on, until it is ready. After that, and after a panic, it takes another call, of which it makes a new future.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, call: Option<(&Arc<S>, &mut Incoming<'_>)>) -> Poll<()>;
}

pin_project! {
    /// The future is made where it will be, and stays there.
    struct Made<M, F> {
        make: M,
        #[pin]
        future: Option<F>,
    }
}

/// One function does both, for each method of a worker trait has its own.
impl<S, M, F> Enter<S> for Made<M, F>
where
    M: Fn(&Arc<S>, &mut Incoming<'_>) -> Result<F, Undecodable> + Send,
    F: Future<Output = ()> + Send,
{
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, call: Option<(&Arc<S>, &mut Incoming<'_>)>) -> Poll<()> {
        let mut this = self.project();
        if let Some((state, incoming)) = call {
            match (this.make)(state, incoming) {
                Ok(future) => this.future.set(Some(future)),
                Err(error) => {
                    this.future.set(None);
                    incoming.undecodable(error);
                }
            }
        }
        this.future.as_pin_mut().map_or(Poll::Ready(()), |future| future.poll(cx))
    }
}

/// Larger futures leave no memory behind.
const KEPT: usize = 4 << 10;

impl<S> Place<S> {
    /// The place of the futures that `make` makes.
    #[inline]
    pub fn new<M, F>(make: M) -> Self
    where
        M: Fn(&Arc<S>, &mut Incoming<'_>) -> Result<F, Undecodable> + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        // Written where it will be: made before, it would be moved there, and dropped if there is no memory.
        let place: Box<Made<M, F>> = Box::write(Box::new_uninit(), Made { make, future: None });
        Self(Box::into_pin(place))
    }

    /// Enters a handler here: most are through at once.
    fn enter(&mut self, state: &Arc<S>, incoming: &mut Incoming<'_>) -> Poll<()> {
        // Nobody needs to be woken: what is not ready is polled again by its task at once.
        self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()), Some((state, incoming)))
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
    Later(Box<dyn Later>),
    /// Run this where blocking is allowed.
    Blocking(Box<dyn FnOnce() + Send>),
}

/// A handler that was not through when it was entered.
pub(crate) trait Later: Send {
    /// Goes on, until it is ready.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

impl<S> Later for Place<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx, None)
    }
}

impl Work {
    /// Work for the blocking pool.
    pub fn blocking(work: impl FnOnce() + Send + 'static) -> Self {
        Self(Rest::Blocking(Box::new(work)))
    }

    /// Work that is done at once.
    #[inline]
    pub fn inline(work: impl FnOnce()) -> Self {
        work();
        Self(Rest::Done)
    }
}

/// The functions of one connection, their state's type forgotten.
pub trait Dispatch: Send {
    /// The functions, each at the index by which [`invoke`](Self::invoke) knows it.
    fn functions(&self) -> &'static [&'static Function];

    /// Enters the handler of the function at `index`, which must be one of [`functions`](Self::functions). The call must
    /// be the current one. Returns whether there is a [rest](Self::take_rest).
    fn invoke(&mut self, index: usize, incoming: &mut Incoming<'_>) -> bool;

    /// What is left of the handler that was entered last. It has another way than what is returned, since that would be
    /// in memory.
    fn take_rest(&mut self) -> Option<Work>;
}

/// The one [`Dispatch`]: a connection state and the table of its handlers.
pub(crate) struct Dispatcher<S: 'static> {
    state: Arc<S>,
    interface: &'static Interface,
    handlers: &'static [Handler<S>],
    /// The place of the function that was called last: the next call is often of the same one.
    place: Option<Used<S>>,
    rest: Option<Work>,
}

/// A place that is used again.
struct Used<S> {
    index: usize,
    /// Whether it is small enough for that.
    kept: bool,
    place: Place<S>,
}

impl<S> Dispatcher<S> {
    /// The functions of `interface`, with a handler for each in the same order.
    pub(crate) fn new(state: Arc<S>, interface: &'static Interface, handlers: &'static [Handler<S>]) -> Self {
        Self { state, interface, handlers, place: None, rest: None }
    }
}

impl<S: Send + Sync + 'static> Dispatch for Dispatcher<S> {
    fn functions(&self) -> &'static [&'static Function] {
        self.interface.functions
    }

    fn invoke(&mut self, index: usize, incoming: &mut Incoming<'_>) -> bool {
        let used = match &mut self.place {
            Some(used) if used.index == index => used,
            _ => match &self.handlers[index] {
                Handler::Future(make) => self.place.insert(Used::new(index, make())),
                Handler::Plain(run) => {
                    let work = run(&self.state, incoming);
                    return self.leave(work);
                }
            },
        };
        let polled = used.place.enter(&self.state, incoming);
        if polled.is_ready() && used.kept {
            return false;
        }
        self.leave_place(polled)
    }

    fn take_rest(&mut self) -> Option<Work> {
        self.rest.take()
    }
}

impl<S: Send + Sync + 'static> Dispatcher<S> {
    /// The place is not used again.
    fn leave_place(&mut self, polled: Poll<()>) -> bool {
        match self.place.take() {
            Some(Used { place, .. }) if polled.is_pending() => self.leave(Work(Rest::Later(Box::new(place)))),
            _ => false,
        }
    }

    fn leave(&mut self, work: Work) -> bool {
        if let Rest::Done = work.0 {
            return false;
        }
        self.rest = Some(work);
        true
    }
}

impl<S> Used<S> {
    fn new(index: usize, place: Place<S>) -> Self {
        Self { index, kept: size_of_val(&*place.0) <= KEPT, place }
    }
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Future(_) => "Handler::Future",
            Self::Plain(_) => "Handler::Plain",
        })
    }
}

impl<S> fmt::Debug for Place<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
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
