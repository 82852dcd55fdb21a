//! Master or worker: decided once.

use super::{
    marker,
    take_over::{fatal, take_over},
};
use crate::process::entry;

/// The entry in `main`: becomes the worker if this process was started as one, and returns otherwise.
///
/// It must be the first thing that `main` does: it changes the environment, which other threads could be reading.
pub fn enter() {
    entry::note_entered();
    if !marker::is_set() {
        return;
    }
    if system_threads().is_some_and(|threads| threads > 1) {
        fatal("rpc_parallel::init() must be the first thing in main, before any thread is started");
    }
    // SAFETY: this is the only thread, or where that cannot be told, the caller was told to see to it.
    unsafe { marker::remove() };
    take_over()
}

/// How many threads this process has, where that can be told.
fn system_threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
