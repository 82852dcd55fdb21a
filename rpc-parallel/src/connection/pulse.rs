//! Heartbeats of connections whose runtime is busy: a handler that blocks must not cost the worker its heartbeats.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use crate::{connection::core::Shared, threads};

/// The connections with heartbeats of this process, watched by one thread, which is started with the first of them.
static WATCHED: OnceLock<Mutex<Vec<Watched>>> = OnceLock::new();

struct Watched {
    shared: Weak<Shared>,
    /// How often to look.
    every: Duration,
}

/// Sends heartbeats on this connection whenever its driver is late with them.
pub(super) fn keep(shared: &Arc<Shared>, send_every: Duration) {
    let watched = WATCHED.get_or_init(|| Mutex::new(Vec::new()));
    let mut list = watched.lock().unwrap_or_else(PoisonError::into_inner);
    let mut started = Ok(());
    if list.is_empty() {
        started = threads::start("rpc-parallel pulse", Box::new(move || run(watched)));
    }
    // Without the thread only a blocked runtime is at a disadvantage.
    if started.is_ok() {
        let every = (send_every / 2).max(Duration::from_millis(1));
        list.push(Watched { shared: Arc::downgrade(shared), every });
    }
}

/// Ends when no connection is left.
fn run(watched: &Mutex<Vec<Watched>>) {
    loop {
        let mut pause = LONGEST_PAUSE;
        {
            let mut list = watched.lock().unwrap_or_else(PoisonError::into_inner);
            list.retain(|one| match one.shared.upgrade() {
                Some(shared) if !shared.has_ended() => {
                    shared.pulse();
                    pause = pause.min(one.every);
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
    /// Sends a heartbeat if one is due.
    fn pulse(&self) {
        let mut core = self.lock();
        core.session.keep_alive(Instant::now());
        // Not left to the driver, although it may be at work: it may be in a handler that blocks. And not left until it
        // learns that the socket takes bytes again, as nobody would tell it.
        if core.session.transmit() && (self.write(&mut core).is_err() || core.blocked) {
            self.driver.wake();
        }
    }
}

/// How long the thread sleeps at most, so that it ends soon after its last connection.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
