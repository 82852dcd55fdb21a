//! Child processes: started, watched, killed and always reaped.
//!
//! Invariants, which the tests name:
//!
//! - **P1**: one thread, the keeper, watches and reaps every child, and never ends.
//! - **P2**: a child whose launch failed or was dropped is dead and reaped.
//! - **P3**: no signal goes to a pid or a group after it was reaped.
//! - **P4**: the plain processes in a child's group die with it.
//! - **P5**: nothing of a dead child stays: no zombie, no descriptor, no file.
//!
//! A child ends with its master because it sees the end of the control socket; `bootstrap` has that side.

pub(crate) mod build_note;
mod channel;
mod child;
pub(crate) mod entry;
mod error;
mod exec;
pub(crate) mod executable;
mod first;
mod handle;
pub(crate) mod image;
mod keeper;
mod launch;
mod leash;
pub(crate) mod messages;
mod peer;
mod redirect;
mod request;
mod sleeper;
pub(crate) mod socket;
mod spawn;
mod stderr;
#[cfg(test)]
pub(crate) mod tests;
mod watch;

pub(crate) use entry::NoEntry;
pub(crate) use error::{LaunchError, NotAWorker, Step, TimedOut};
pub(crate) use executable::Program;
pub(crate) use handle::{OwnedProcess, Process};
pub(crate) use launch::launch;
pub(crate) use peer::PeerProcess;
pub use redirect::Redirect;
pub(crate) use redirect::Stderr;
pub(crate) use request::{Launch, OnMasterLoss};

#[cfg(not(unix))]
compile_error!(
    "rpc-parallel starts workers over Unix sockets with process groups and waitpid: this system has none of them yet"
);
