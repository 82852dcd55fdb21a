//! Whether a child that runs this image would become a worker.
//!
//! `bootstrap` tells this module what happened at the start of this process; `launch` asks it before it starts anything.

use std::{
    env,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{Program, image};

/// The variable that tells a child what it is. It has no other content: everything else is in the ticket.
pub(crate) const MARKER: &str = "RPC_PARALLEL_WORKER";

/// Set once an entry ran in this process: then one also runs in a child of the same image.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// An entry ran, before `main` or in it.
pub(crate) fn note_entered() {
    ENTERED.store(true, Relaxed);
}

/// Refuses to start a child that would not become a worker.
pub(super) fn check(program: &Program) -> Result<(), NoEntry> {
    // Whoever takes over removes the marker. So this process was started as a worker and runs its own `main`: to go on
    // would start children without end.
    if env::var_os(MARKER).is_some() {
        return Err(NoEntry::NobodyTookOver);
    }
    match program {
        Program::Path(_) => Ok(()),
        Program::SameImage => match image::library() {
            Some(library) => Err(NoEntry::SharedLibrary(library)),
            None if ENTERED.load(Relaxed) => Ok(()),
            None => Err(NoEntry::NotEntered),
        },
    }
}

/// Why a child could not become a worker.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NoEntry {
    #[error(
        "this process was itself started as a worker, but no rpc_parallel entry ran in it: put #[rpc_parallel::main] on \
         main, or call rpc_parallel::init() first thing in it (with the feature `pre-main` Linux needs neither)"
    )]
    NobodyTookOver,
    #[error(
        "no rpc_parallel entry ran in this process, so none would in its workers: put #[rpc_parallel::main] on main, or \
         call rpc_parallel::init() first thing in it"
    )]
    NotEntered,
    #[error(
        "rpc_parallel is linked into {}, so the executable of this process is not yours: name the worker executable \
         explicitly", .0.display()
    )]
    SharedLibrary(PathBuf),
}
