//! What only some systems offer to a worker.

use std::os::fd::{BorrowedFd, OwnedFd};

/// Watches the parent, where the system can; the end of the control socket tells of its death everywhere, unless someone
/// forked the parent without exec and so holds the socket.
#[derive(Debug)]
pub(super) struct Parent(Option<OwnedFd>);

impl Parent {
    /// Becomes readable when the parent ends.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        self.0.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn watch(parent: u32) -> Self {
        Self(imp::watch(parent))
    }
}

#[cfg(target_os = "linux")]
pub(super) use super::tether::{leash, tie, untie};
#[cfg(not(target_os = "linux"))]
pub(super) use untied::{leash, tie, untie};

pub(super) use imp::{set_process_name, set_thread_name, wake_at_parents_death};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::{
        ffi::{CStr, CString},
        os::fd::OwnedFd,
    };

    use rustix::process::{PidfdFlags, Signal, getppid, pidfd_open, set_parent_process_death_signal};

    /// Wakes this process when its parent ends.
    ///
    /// SIGCONT and not SIGKILL: a stopped worker must run to see that the control socket has ended, and what its lifeline
    /// does then takes the whole process group, which a signal to the worker alone would not.
    pub(in super::super) fn wake_at_parents_death() {
        // It cannot fail with a valid signal, and without it only a stopped worker would stay.
        let _ = set_parent_process_death_signal(Some(Signal::CONT));
    }

    pub(super) fn watch(parent: u32) -> Option<OwnedFd> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(parent).ok()?)?;
        let watched = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Asked afterwards: if it still is our parent now, it was so when the descriptor was made, and the number was not
        // reused. If it is not, it is dead, and the control socket says so; or a wrapper stands between, or another pid
        // namespace, and then only the control socket tells.
        (getppid() == Some(pid)).then_some(watched)
    }

    /// What debuggers show of the calling thread: at most 15 bytes.
    pub(in super::super) fn set_thread_name(name: &CStr) {
        let _ = rustix::thread::set_name(name);
    }

    /// What `ps` and `top` show; else it would be `exe`, after the link that was started.
    pub(in super::super) fn set_process_name(name: &str) {
        // The kernel takes 15 bytes. Half a character would show as rubbish.
        let end = (0..=name.len().min(15)).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
        if let Ok(name) = CString::new(&name[..end]) {
            let _ = rustix::thread::set_name(&name);
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use std::os::fd::OwnedFd;

    /// There is no such signal here: a stopped worker sees its master's death when it is continued.
    pub(in super::super) fn wake_at_parents_death() {}

    pub(super) fn watch(_parent: u32) -> Option<OwnedFd> {
        None
    }

    /// Only debuggers miss it.
    pub(in super::super) fn set_thread_name(_name: &std::ffi::CStr) {}

    /// The executable's own name is right here.
    pub(in super::super) fn set_process_name(_name: &str) {}
}

/// Where only a thread can look after the master.
#[cfg(not(target_os = "linux"))]
mod untied {
    use std::os::fd::BorrowedFd;

    pub(in super::super) fn tie(_control: BorrowedFd<'_>, _master: u32) -> bool {
        false
    }

    pub(in super::super) fn leash(_end: BorrowedFd<'_>) -> bool {
        false
    }

    pub(in super::super) fn untie() {}
}
