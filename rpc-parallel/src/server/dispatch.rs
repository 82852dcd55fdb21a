//! Runs the handler of a call: inline as far as it gets, then as a task of its own.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    connection::{Incoming, Target},
    fault::PanicReport,
    handler::{Dispatch, Work},
    panic::{self, catch},
    wire::Status,
};

/// Enters a handler. Most are through at once and never cost a task.
pub(super) fn run(dispatch: &Arc<dyn Dispatch>, index: usize, incoming: Incoming) {
    let target = incoming.target();
    match catch(|| dispatch.invoke(index, incoming)) {
        Ok(Work::Done) => {}
        Ok(Work::Future(work)) => run_future(target, work),
        Ok(Work::Blocking(work)) => {
            let of_call = target.clone();
            let task = tokio::task::spawn_blocking(move || {
                if let Err(report) = catch(work) {
                    panicked(&of_call, &report);
                }
            });
            target.attach(task.abort_handle());
        }
        Err(report) => panicked(&target, &report),
    }
}

fn run_future(target: Target, mut work: Pin<Box<dyn Future<Output = ()> + Send>>) {
    // Nobody needs to be woken: what is not ready is polled again by its task at once.
    match catch(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop()))) {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => {
            let task = tokio::spawn(Guarded { target: target.clone(), work });
            target.attach(task.abort_handle());
        }
        Err(report) => panicked(&target, &report),
    }
}

fn panicked(target: &Target, report: &PanicReport) {
    let limit = target.shared.lock().session.message_limit();
    target.fail(Status::Panic, panic::encode(report, limit));
    target.close();
}

/// A handler in a task of its own, whose panic is told to the caller.
struct Guarded {
    target: Target,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match catch(|| this.work.as_mut().poll(cx)) {
            Ok(poll) => poll,
            Err(report) => {
                panicked(&this.target, &report);
                Poll::Ready(())
            }
        }
    }
}
