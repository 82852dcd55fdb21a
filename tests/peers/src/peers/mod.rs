//! Who is measured, each in a file of its own.

mod capnp;
mod ipc_channel;
mod limit;
mod remoc;
mod rpc_parallel;
mod tarpc;
mod tonic;

use crate::{cell::Cell, sample::Sample, workload::Workload};

/// Somebody who is measured.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) name: &'static str,
    /// The crates whose versions matter.
    pub(crate) crates: &'static [&'static str],
    /// How it is used, in a sentence or two.
    pub(crate) used: &'static str,
    /// The ways in which it can do a workload. None: it cannot.
    pub(crate) variants: fn(&Workload) -> &'static [&'static str],
    /// Measures, as the caller.
    pub(crate) run: fn(&Cell) -> Sample,
    /// Is its worker, with these arguments.
    pub(crate) worker: fn(&[String]),
}

/// The limit first, then ourselves.
static ALL: [Library; 7] = [
    limit::LIBRARY,
    rpc_parallel::LIBRARY,
    tarpc::LIBRARY,
    tonic::LIBRARY,
    remoc::LIBRARY,
    ipc_channel::LIBRARY,
    capnp::LIBRARY,
];

/// The places of the first two.
pub(crate) const LIMIT: usize = 0;
pub(crate) const OURS: usize = 1;

pub(crate) fn all() -> impl Iterator<Item = &'static Library> {
    ALL.iter()
}

pub(crate) fn find(name: &str) -> Option<&'static Library> {
    all().find(|library| library.name == name)
}

/// That these are the bytes that were sent, for all that a glance tells.
fn check(bytes: &[u8], size: usize) {
    assert!(bytes.len() == size && bytes[0] == BYTE && bytes[size - 1] == BYTE, "other bytes came back");
}

/// What echoes consist of.
const BYTE: u8 = 7;
