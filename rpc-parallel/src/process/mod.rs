//! Child processes: started, watched, killed and always reaped.
//!
//! Invariants, which the tests name:
//!
//! - **P1**: one thread, the keeper, starts and reaps every child, and never ends.
//! - **P2**: a child whose launch failed or was dropped is dead and reaped.
//! - **P3**: no signal goes to a pid or a group after it was reaped.
//! - **P4**: the plain processes in a child's group die with it.
//! - **P5**: nothing of a dead child stays: no zombie, no descriptor, no file.
//!
//! A child ends with its master because it sees the end of the control socket; `bootstrap` has that side.

mod channel;
mod child;
pub(crate) mod entry;
mod error;
pub(crate) mod executable;
mod handle;
pub(crate) mod image;
mod keeper;
mod launch;
pub(crate) mod messages;
mod readiness;
mod redirect;
pub(crate) mod socket;
mod spawn;
mod stderr;
#[cfg(test)]
pub(crate) mod tests;
mod watch;

#[allow(unused_imports)]
pub(crate) use entry::NoEntry;
#[allow(unused_imports)]
pub(crate) use error::{LaunchError, NotAWorker, Step, TimedOut};
#[allow(unused_imports)]
pub(crate) use executable::Program;
#[allow(unused_imports)]
pub(crate) use handle::{OwnedProcess, Process};
#[allow(unused_imports)]
pub(crate) use launch::{Launch, OnMasterLoss, launch};
#[allow(unused_imports)]
pub(crate) use redirect::{Redirect, Stderr};

#[cfg(not(unix))]
compile_error!(
    "rpc-parallel starts workers over Unix sockets with process groups and waitpid: this system has none of them yet"
);
