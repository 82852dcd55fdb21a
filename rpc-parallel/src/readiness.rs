//! Descriptors that the current runtime watches.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
};

use tokio::io::{Interest, unix::AsyncFd};

/// What owns a descriptor, or a share of it, and lets nobody take it out through a shared reference.
pub(crate) trait Holder: AsRawFd {}

impl Holder for OwnedFd {}
impl Holder for Arc<UnixStream> {}

/// Watches a descriptor with the current runtime.
pub(crate) fn watch<T: Holder>(descriptor: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: a `Holder` has an open descriptor, the same one at every call, and it stays so as long as the `AsyncFd` owns it:
    // nothing can take it out through a shared reference, and no code here uses a mutable one.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest) }?)
}
