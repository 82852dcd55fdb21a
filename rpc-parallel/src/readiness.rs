//! Descriptors that a runtime watches.

use std::{io, os::fd::OwnedFd};

use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::{Handle, Id},
};

/// Watches a descriptor with the current runtime.
pub(crate) fn watch(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, is the same descriptor at every call, and stays so as long as the `AsyncFd` owns it:
    // nothing can take it out through a shared reference, and no code here uses a mutable one.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest) }?)
}

/// A descriptor that a runtime watches for something to read, and that another one may go on to watch.
#[derive(Debug)]
pub(crate) struct Watched {
    descriptor: AsyncFd<OwnedFd>,
    runtime: Id,
}

impl Watched {
    /// Watches it with the current runtime.
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(Self { descriptor: watch(descriptor, Interest::READABLE)?, runtime: Handle::current().id() })
    }

    /// The descriptor, in the runtime that watches it.
    pub(crate) fn descriptor(&self) -> &AsyncFd<OwnedFd> {
        &self.descriptor
    }

    /// The descriptor, which the current runtime watches from now on if it does not already.
    pub(crate) fn here(self) -> io::Result<AsyncFd<OwnedFd>> {
        if self.runtime == Handle::current().id() {
            return Ok(self.descriptor);
        }
        watch(self.descriptor.into_inner(), Interest::READABLE)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixStream};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn another_runtime_goes_on_where_the_first_has_ended() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let (first, second) = (runtime(), runtime());
        let watched = first.block_on(async { Watched::new(ours.into()).unwrap() });
        drop(first);
        second.block_on(async {
            let descriptor = watched.here().unwrap();
            theirs.write_all(b"x").unwrap();
            descriptor.readable().await.unwrap().retain_ready();
        });
    }
}
