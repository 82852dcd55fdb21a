//! What ends a worker with this process, whatever the worker does, until its lifeline has a thread.

#[cfg(target_os = "linux")]
use std::{ffi::CString, os::fd::AsRawFd};
use std::{io, os::fd::OwnedFd};

#[cfg(target_os = "linux")]
use rustix::fs::{Mode, OFlags, open, openat};

/// A pipe whose writing end is this process's alone, as long as it lives, and into which nothing is ever written.
///
/// Each worker gets a reading end of its own, and has the kernel kill its process group at the end of it: see
/// `bootstrap::tether`.
pub(super) struct Leash {
    /// Where the descriptors of this process are.
    #[cfg(target_os = "linux")]
    descriptors: OwnedFd,
    /// The name of the reading end there.
    #[cfg(target_os = "linux")]
    name: CString,
    #[cfg(target_os = "linux")]
    _read: io::PipeReader,
    #[cfg(target_os = "linux")]
    _write: io::PipeWriter,
}

#[cfg(target_os = "linux")]
impl Leash {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = io::pipe()?;
        let name = CString::new(read.as_raw_fd().to_string())?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let descriptors = open("/proc/self/fd", flags, Mode::empty())?;
        Ok(Self { descriptors, name, _read: read, _write: write })
    }

    /// An end for one worker. It is opened and not only copied: whom the kernel tells of an end is a property of what was
    /// opened.
    pub(super) fn end(&self) -> Option<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        openat(&self.descriptors, &self.name, flags, Mode::empty()).ok()
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
