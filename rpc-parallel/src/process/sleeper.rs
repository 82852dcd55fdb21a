//! A task that nobody has to wake up for at its start.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Wake, Waker},
};

use tokio::runtime::Handle;

use crate::runtime::Task;

/// Runs this in that runtime, in which the caller is, too: its first part here and now, until it has to wait, and the rest
/// there, once what it waits for has come. So the runtime's thread sleeps on, which a spawned task would wake at once.
pub(super) fn start(runtime: &Handle, mut task: Task) {
    let sleeper = Arc::new(Sleeper { runtime: runtime.clone(), state: Mutex::new(State::Starting) });
    let waker = Waker::from(Arc::clone(&sleeper));
    if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
        return;
    }
    let mut state = sleeper.state();
    if matches!(*state, State::Starting) {
        *state = State::Asleep(task);
        return;
    }
    drop(state);
    drop(runtime.spawn(task));
}

/// What is woken in the task's place.
struct Sleeper {
    runtime: Handle,
    state: Mutex<State>,
}

enum State {
    /// Whoever starts it is at it, and looks here when that is done.
    Starting,
    Asleep(Task),
    Woken,
}

impl Sleeper {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let before = std::mem::replace(&mut *self.state(), State::Woken);
        // The lock is free by now: what is spawned may be dropped at once, and that may wake it.
        if let State::Asleep(task) = before {
            drop(self.runtime.spawn(task));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn it_begins_at_once_and_goes_on_in_the_runtime_when_it_is_woken() {
        let runtime = runtime();
        let ((begun, mut has_begun), (give, take), (end, ended)) =
            (oneshot::channel(), oneshot::channel::<u32>(), oneshot::channel());
        let task = async move {
            begun.send(()).unwrap();
            end.send((take.await.unwrap(), tokio::task::try_id().is_some())).unwrap();
        };
        start(runtime.handle(), Box::pin(task));
        has_begun.try_recv().unwrap();
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
        give.send(7).unwrap();
        assert_eq!(runtime.metrics().num_alive_tasks(), 1);
        assert_eq!(runtime.block_on(ended), Ok((7, true)));
    }

    #[test]
    fn what_wakes_it_before_it_sleeps_is_not_lost() {
        let runtime = runtime();
        let (end, ended) = oneshot::channel();
        let task = async move {
            tokio::task::yield_now().await;
            end.send(()).unwrap();
        };
        start(runtime.handle(), Box::pin(task));
        assert_eq!(runtime.block_on(ended), Ok(()));
    }

    #[test]
    fn what_is_done_at_once_never_comes_to_the_runtime() {
        let runtime = runtime();
        start(runtime.handle(), Box::pin(async {}));
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    }
}
