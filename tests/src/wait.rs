//! Waiting for a condition, never for a time.

use std::{
    future::Future,
    thread,
    time::{Duration, Instant},
};

/// More than anything here takes on the most loaded machine: what is not there by then hangs.
pub const LONG: Duration = Duration::from_secs(60);

/// Asks until the condition holds, and gives up after the limit. Returns whether it held.
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        // Asked once more after the last pause: this thread may have slept far longer than it wanted.
        let late = Instant::now() >= end;
        if condition() {
            return true;
        }
        if late {
            return false;
        }
        thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(20));
    }
}

/// Awaits what must not hang.
///
/// # Panics
///
/// If it does.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(LONG, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: nothing after {LONG:?}"),
    }
}
