//! What ends a worker with this process, whatever the worker does, until its lifeline has a thread.

use std::{io, os::fd::OwnedFd};

/// A pipe whose writing end is this process's alone, as long as it lives, and into which nothing is ever written.
///
/// Each worker gets a reading end of its own, and has the kernel kill its process group at the end of it: see
/// `bootstrap::tether`.
pub(super) struct Leash {
    #[cfg(target_os = "linux")]
    read: OwnedFd,
    #[cfg(target_os = "linux")]
    _write: io::PipeWriter,
}

#[cfg(target_os = "linux")]
impl Leash {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = io::pipe()?;
        Ok(Self { read: read.into(), _write: write })
    }

    /// An end for one worker. It is opened and not only copied: whom the kernel tells of an end is a property of what was
    /// opened.
    pub(super) fn end(&self) -> Option<OwnedFd> {
        use std::os::fd::AsRawFd;

        use rustix::fs::{Mode, OFlags, open};

        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        open(format!("/proc/self/fd/{}", self.read.as_raw_fd()), flags, Mode::empty()).ok()
    }
}

/// Elsewhere a worker's lifeline has its thread before anything of the program's runs.
#[cfg(not(target_os = "linux"))]
impl Leash {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(super) fn end(&self) -> Option<OwnedFd> {
        None
    }
}
