//! Runs the handler of a call: inline as far as it gets, then as a task of its own.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    connection::{CallContext, Incoming},
    handler::{Later, Place, Rest, Work},
    id::FunctionId,
    panic::catch,
};

/// Where the handlers of the function that was called last are entered: the next call is often of the same one.
pub(super) struct Used {
    pub(super) function: FunctionId,
    place: Place,
    kept: bool,
}

/// Whether the place may be used again.
#[derive(PartialEq)]
pub(super) enum Entered {
    Again,
    Pending,
    Done,
}

impl Used {
    pub(super) fn new(function: FunctionId, place: Place) -> Self {
        Self { function, kept: place.is_small(), place }
    }

    /// Enters a handler. Most are through at once and never cost a task. A panic in it is the caller's.
    #[inline]
    pub(super) fn enter(&mut self, incoming: &mut Incoming<'_>) -> Entered {
        match self.place.enter(incoming) {
            Poll::Ready(()) if self.kept => Entered::Again,
            Poll::Ready(()) => Entered::Done,
            Poll::Pending => Entered::Pending,
        }
    }

    /// Lets what is pending here run elsewhere.
    pub(super) fn go_on(self) {
        go_on(Work(Rest::Later(Box::new(self.place))));
    }
}

/// Lets the rest of the current call's handler run elsewhere.
pub(super) fn go_on(Work(rest): Work) {
    if matches!(rest, Rest::Done) {
        return;
    }
    let Some((call, target)) = CallContext::later() else { return };
    let handle = match rest {
        Rest::Done => return,
        Rest::Later(work) => tokio::spawn(Guarded { call, work: Some(work) }).abort_handle(),
        Rest::Blocking(work) => {
            let mut guarded = Guarded { call, work: Some(work) };
            tokio::task::spawn_blocking(move || guarded.enter(|work| work())).abort_handle()
        }
    };
    target.attach(handle);
}

/// The rest of a handler, whose panic is told to the caller. It runs, and is dropped, with its call as the current one.
struct Guarded<W> {
    /// Always there but while the handler runs.
    call: Option<CallContext>,
    work: Option<W>,
}

impl<W> Guarded<W> {
    /// Takes the work up, for the last time unless it is put back.
    fn enter<T: Default>(&mut self, part: impl FnOnce(W) -> T) -> T {
        let Some(work) = self.work.take() else { return T::default() };
        CallContext::enter(&mut self.call, || {
            catch(|| part(work)).unwrap_or_else(|report| {
                CallContext::panicked(&report);
                T::default()
            })
        })
    }
}

impl Future for Guarded<Box<dyn Later>> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let rest = self.enter(|mut work| work.poll(cx).is_pending().then_some(work));
        self.work = rest;
        if self.work.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<W> Drop for Guarded<W> {
    fn drop(&mut self) {
        let Self { call, work } = self;
        if let Some(work) = work.take() {
            CallContext::enter(call, || drop(work));
        }
    }
}
