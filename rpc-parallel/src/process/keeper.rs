//! The one thread that watches and reaps all children.
//!
//! It never ends: who owns all children can reap each of them, whatever became of the handles.

use std::{
    future::pending,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{
    leash::Leash,
    stderr::{Relay, start_relay},
};
use crate::{runtime, threads};

/// The runtime of the thread, in which everything of a child is registered and run.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) runtime: Handle,
    pub(super) relay: Relay,
    /// None if this process was short of descriptors.
    pub(super) leash: Option<Arc<Leash>>,
    process: u32,
    /// When the thread wakes up by itself at the latest.
    wakes: Arc<Mutex<Option<Instant>>>,
}

/// The keeper, which is started at the first use.
pub(super) fn keeper() -> io::Result<Keeper> {
    let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    let keeper = match &mut *keeper {
        Some(keeper) => keeper,
        none => none.insert(Keeper::start()?),
    };
    // A fork without exec copies this memory, but not the thread.
    if keeper.process != std::process::id() {
        return Err(io::Error::other("this process was forked, without exec, from one that has launched workers"));
    }
    Ok(keeper.clone())
}

static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);

impl Keeper {
    fn start() -> io::Result<Self> {
        let relay = start_relay()?;
        let (give, take) = oneshot::channel::<Runtime>();
        let run = move || {
            if let Ok(runtime) = take.blocking_recv() {
                runtime::run(&runtime, pending::<()>());
            }
        };
        threads::start("rpc-parallel keeper", Box::new(run))?;
        // Made here, so that a lack of descriptors is an error and not the end of the thread; and last, since it must not be
        // dropped in another runtime.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let leash = Leash::new().ok().map(Arc::new);
        let (runtime_handle, process) = (runtime.handle().clone(), std::process::id());
        let keeper = Self { runtime: runtime_handle, relay, leash, process, wakes: Arc::default() };
        give.send(runtime).map_err(|_| io::Error::other("its thread has ended"))?;
        Ok(keeper)
    }

    /// Prepares for a timer that is set for this time, or a later one: only one that is earlier than all others wakes the
    /// thread, which costs a start more than anything else it does here. So one is kept that is as early, until it is due.
    pub(super) fn prepare_timer(&self, due: Instant) {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        if wakes.is_none_or(|wakes| wakes > due || wakes <= Instant::now()) {
            *wakes = Some(due);
            drop(self.runtime.spawn(sleep_until(due)));
        }
    }
}
