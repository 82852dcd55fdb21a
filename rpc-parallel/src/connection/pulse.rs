//! Heartbeats of connections whose runtime is busy: a handler that blocks must not cost the worker its heartbeats.

use std::{
    sync::{Arc, Mutex, OnceLock, Weak},
    thread,
    time::{Duration, Instant},
};

use crate::connection::core::Shared;

/// The connections with heartbeats of this process, watched by one thread, which is started with the first of them.
static WATCHED: OnceLock<Mutex<Vec<Weak<Shared>>>> = OnceLock::new();

/// Sends heartbeats on this connection whenever its driver is late with them.
pub(super) fn keep(shared: &Arc<Shared>) {
    let mut started = Ok(());
    let watched = WATCHED.get_or_init(|| Mutex::new(Vec::new()));
    let mut list = watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if list.is_empty() {
        started = thread::Builder::new().name("rpc-parallel pulse".into()).spawn(move || run(watched)).map(drop);
    }
    // Without the thread only a blocked runtime is at a disadvantage.
    if started.is_ok() {
        list.push(Arc::downgrade(shared));
    }
}

/// Ends when no connection is left.
fn run(watched: &Mutex<Vec<Weak<Shared>>>) {
    loop {
        let mut pause = LONGEST_PAUSE;
        {
            let mut list = watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            list.retain(|shared| match shared.upgrade() {
                Some(shared) if !shared.has_ended() => {
                    pause = pause.min(shared.pulse());
                    true
                }
                _ => false,
            });
            if list.is_empty() {
                return;
            }
        }
        thread::sleep(pause);
    }
}

impl Shared {
    /// Sends a heartbeat if one is due. Returns how long until the next look.
    fn pulse(&self) -> Duration {
        let now = Instant::now();
        let mut core = self.lock();
        core.session.keep_alive(now);
        if core.session.transmit() && !core.driving {
            self.flush_now(&mut core);
        }
        let every = core.session.heartbeat_interval().unwrap_or(LONGEST_PAUSE);
        // Half an interval late at most, and never at the very moment at which the driver would send one itself.
        (every / 2).max(Duration::from_millis(1))
    }
}

/// How long the thread sleeps at most, so that it ends soon after its last connection.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
