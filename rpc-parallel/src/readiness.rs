//! Descriptors that the current runtime watches.

use std::{io, os::fd::OwnedFd};

use tokio::io::{Interest, unix::AsyncFd};

/// Watches a descriptor with the current runtime.
pub(crate) fn watch(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, is the same descriptor at every call, and stays so as long as the `AsyncFd` owns it:
    // nothing can take it out through a shared reference, and no code here uses a mutable one.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest) }?)
}
