//! Master or worker: decided once.

use std::sync::OnceLock;

use super::{
    marker,
    take_over::{fatal, take_over},
};
use crate::{id::WorkerId, process::entry};

/// What this process is: decided once, before `main` or at the entry in it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// Nobody has spawned it as a worker: it runs its own `main`, and may spawn.
    Master,
    /// It was spawned as a worker. It may spawn too: then it is the master of those.
    #[non_exhaustive]
    Worker {
        /// The worker's id.
        id: WorkerId,
        /// The name that it was given.
        name: Option<String>,
    },
}

/// What this process is, for code that runs in both: a logger, a cache, a library below the workers.
///
/// A worker that is [served](crate::Spawn::serve) in a master's process does not change its role.
///
/// ```
/// use rpc_parallel::{Role, role};
///
/// let prefix = match role() {
///     Role::Worker { name: Some(name), .. } => format!("[{name}] "),
///     Role::Worker { id, .. } => format!("[{id}] "),
///     _ => String::new(),
/// };
/// assert_eq!(prefix, "");
/// ```
pub fn role() -> Role {
    WORKER.get().cloned().unwrap_or(Role::Master)
}

/// This process is that worker.
pub(super) fn set_worker(id: WorkerId, name: Option<String>) {
    // Only the entry sets it, and it runs once.
    let _ = WORKER.set(Role::Worker { id, name });
}

static WORKER: OnceLock<Role> = OnceLock::new();

/// The entry in `main`: becomes the worker if this process was started as one, and returns otherwise.
///
/// On Linux with the feature `pre-main` it has nothing to do. Elsewhere it is needed, here or by
/// [`#[rpc_parallel::main]`](macro@crate::main), which calls it.
///
/// It must be the first thing that `main` does: it changes the environment, which other threads could be reading. In a
/// worker it never returns: the process ends with the worker.
///
/// ```
/// fn main() -> std::process::ExitCode {
///     rpc_parallel::init();
///     // Only the master comes here: the command line, a runtime, the program.
///     std::process::ExitCode::SUCCESS
/// }
/// ```
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
