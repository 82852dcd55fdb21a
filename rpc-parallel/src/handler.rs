//! What runs a function on the worker: the handler that the macro writes, and the table of one connection.

use std::{
    fmt,
    future::Future,
    mem::{self, MaybeUninit},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use pin_project_lite::pin_project;

use crate::{
    connection::Incoming,
    function::{Function, Interface},
};

/// Runs one function of a worker trait on the connection state `S`.
pub enum Handler<S> {
    /// An `async fn`: what makes the place of its future.
    Future(fn(&Arc<S>) -> Place),
    /// A plain `fn`: what takes a call over.
    Plain(fn(&mut Loan<S>, &mut Incoming<'_>) -> Work),
}

/// The state that handlers work on. One that is through gives its reference to the next one: to count them for each call
/// would cost as much as a lock does.
pub struct Loan<S> {
    state: Arc<S>,
    spare: Option<Arc<S>>,
}

impl<S> Loan<S> {
    #[inline]
    fn new(state: &Arc<S>) -> Self {
        Self { state: Arc::clone(state), spare: None }
    }

    /// A reference for a handler.
    #[inline]
    pub(crate) fn take(&mut self) -> Arc<S> {
        match self.spare.take() {
            Some(state) => state,
            None => Arc::clone(&self.state),
        }
    }

    /// Takes a handler's reference back. Only one is lent at a time, so that there is none to drop.
    #[inline]
    fn give_back(&mut self, state: Arc<S>) {
        mem::forget(self.spare.replace(state));
    }
}

/// Where the futures of one function will be, one after the other.
pub struct Place(Pin<Box<dyn Enter>>);

/// A future that comes and goes, and what makes it of a call.
trait Enter: Send {
    /// Goes on, until it is ready. After that, and after a panic, it takes another call, of which it makes a new future.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, call: Option<&mut Incoming<'_>>) -> Poll<()>;
}

pin_project! {
    /// The future is made where it will be, and stays there.
    struct Made<S, M, F> {
        #[pin]
        slot: Slot<F>,
        make: M,
        lent: Loan<S>,
    }
}

pin_project! {
    /// Where a future will be.
    #[project = InSlot]
    #[project_replace = Replaced]
    enum Slot<F> {
        Empty,
        Full {
            #[pin]
            future: F,
        },
    }
}

/// One function does both, for each method of a worker trait has its own.
impl<S, M, F> Enter for Made<S, M, F>
where
    S: Send + Sync,
    M: Fn(&mut Loan<S>, &mut Incoming<'_>) -> Option<F> + Send,
    F: Future<Output = Arc<S>> + Send,
{
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, call: Option<&mut Incoming<'_>>) -> Poll<()> {
        let mut this = self.project();
        if let Some(incoming) = call {
            this.slot.as_mut().clear();
            let Some(future) = (this.make)(this.lent, incoming) else { return Poll::Ready(()) };
            // It is empty. Looked at again, so that no code is made here which drops what was there, nor what would go on if that
            // panicked.
            match this.slot.as_mut().project() {
                InSlot::Empty => drop(this.slot.as_mut().project_replace(Slot::Full { future })),
                InSlot::Full { .. } => {
                    debug_assert!(false, "it was cleared");
                    mem::forget(future);
                    return Poll::Ready(());
                }
            }
        }
        if let InSlot::Full { future } = this.slot.project() {
            match future.poll(cx) {
                Poll::Ready(state) => this.lent.give_back(state),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

impl<F> Slot<F> {
    /// Drops what is there. Methods whose futures are alike share this.
    #[inline(never)]
    fn clear(mut self: Pin<&mut Self>) {
        self.set(Self::Empty);
    }
}

impl<S, M, F> Made<S, M, F> {
    /// Methods whose futures are alike share this, since it does not name what is different of them.
    #[inline(never)]
    fn boxed(state: &Arc<S>, make: M) -> Pin<Box<Self>> {
        // Written where it will be, once that is there: made before, it would be moved, and dropped if there is no memory.
        let place: Box<MaybeUninit<Self>> = Box::new_uninit();
        Box::into_pin(Box::write(place, Self { slot: Slot::Empty, make, lent: Loan::new(state) }))
    }
}

/// Larger futures leave no memory behind.
const KEPT: usize = 4 << 10;

impl Place {
    /// The place of the futures that `make` makes.
    #[inline]
    pub fn new<S, M, F>(state: &Arc<S>, make: M) -> Self
    where
        S: Send + Sync + 'static,
        M: Fn(&mut Loan<S>, &mut Incoming<'_>) -> Option<F> + Send + 'static,
        F: Future<Output = Arc<S>> + Send + 'static,
    {
        Self(Made::boxed(state, make))
    }

    /// Enters a handler here: most are through at once.
    #[inline]
    pub(crate) fn enter(&mut self, incoming: &mut Incoming<'_>) -> Poll<()> {
        // Nobody needs to be woken: what is not ready is polled again by its task at once.
        self.0.as_mut().poll(&mut Context::from_waker(Waker::noop()), Some(incoming))
    }

    /// Whether it may be used again.
    pub(crate) fn is_small(&self) -> bool {
        size_of_val(&*self.0) <= KEPT
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

impl Later for Place {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx, None)
    }
}

impl Work {
    /// Work for the blocking pool.
    pub fn blocking<T>(work: impl FnOnce() -> T + Send + 'static) -> Self {
        Self(Rest::Blocking(Box::new(|| drop(work()))))
    }

    /// Work that is done at once.
    #[inline]
    pub fn inline<T>(work: impl FnOnce() -> T) -> Self {
        work();
        Self(Rest::Done)
    }
}

/// The functions of one connection, their state's type forgotten.
pub trait Dispatch: Send {
    /// The functions, each at the index by which [`start`](Self::start) knows it.
    fn functions(&self) -> &'static [Function];

    /// Takes a call over for the function at `index`, which must be one of [`functions`](Self::functions), or says where
    /// its handler is to be entered. The call must be the current one.
    fn start(&self, index: usize, incoming: &mut Incoming<'_>) -> Started;
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Started {
    /// It is to be entered here, and so may others of the same function be.
    Here(Place),
    /// It was taken over.
    Over(Work),
}

/// The one [`Dispatch`]: a connection state and the table of its handlers.
pub(crate) struct Dispatcher<S: 'static> {
    state: Arc<S>,
    interface: &'static Interface,
    handlers: &'static [Handler<S>],
}

impl<S> Dispatcher<S> {
    /// The functions of `interface`, with a handler for each in the same order.
    pub(crate) fn new(state: Arc<S>, interface: &'static Interface, handlers: &'static [Handler<S>]) -> Self {
        Self { state, interface, handlers }
    }
}

impl<S: Send + Sync + 'static> Dispatch for Dispatcher<S> {
    fn functions(&self) -> &'static [Function] {
        self.interface.functions
    }

    fn start(&self, index: usize, incoming: &mut Incoming<'_>) -> Started {
        match &self.handlers[index] {
            Handler::Future(make) => Started::Here(make(&self.state)),
            Handler::Plain(run) => Started::Over(run(&mut Loan::new(&self.state), incoming)),
        }
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

impl<S> fmt::Debug for Loan<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loan")
    }
}

impl fmt::Debug for Place {
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
