//! Threads of this library in a process that is no worker, or that serves.

use std::{io, thread};

/// Starts a thread of this name. std has much code for each kind of thing that a thread runs, hence one kind for all.
pub(crate) fn start(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}
