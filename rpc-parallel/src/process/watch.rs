//! Tells when a child has ended, without reaping it.

use std::{io, os::fd::OwnedFd};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// Waits for the end of one child.
#[derive(Debug)]
pub(super) struct ExitWatch {
    pid: Pid,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pidfd: Option<pidfd::PidFd>,
}

impl ExitWatch {
    /// Watches a child that was not reaped yet, with a pidfd of it if it is there already.
    #[cfg_attr(not(any(target_os = "linux", target_os = "android")), expect(unused_variables))]
    pub(super) fn new(pid: Pid, pidfd: Option<OwnedFd>) -> Self {
        Self {
            pid,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            pidfd: match pidfd {
                Some(pidfd) => pidfd::PidFd::watch(pidfd).ok(),
                None => pidfd::PidFd::open(pid).ok(),
            },
        }
    }

    /// Watches as on a system without pidfd.
    #[cfg(test)]
    pub(super) fn polling(pid: Pid) -> Self {
        Self {
            pid,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            pidfd: None,
        }
    }

    /// Returns once the child has ended. It is a zombie then: its pid and its group still are its own.
    pub(super) async fn ended(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(pidfd) = &self.pidfd
            && pidfd.ended().await.is_ok()
        {
            return;
        }
        poll::ended(self.pid).await;
    }

    /// Looks whether the child has ended.
    pub(super) fn look(&self) -> State {
        state(self.pid)
    }
}

/// Whether [`ExitWatch::ended`] returns at once, and need not ask now and then.
pub(super) fn tells_at_once() -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        pidfd::are_there()
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        false
    }
}

/// What a parent can see of its child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Running,
    Zombie,
    /// Someone else in this process waited for it, or SIGCHLD is ignored: the pid may be anyone's by now.
    Gone,
}

fn state(pid: Pid) -> State {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT) {
            Ok(Some(_)) => return State::Zombie,
            Ok(None) => return State::Running,
            Err(error) if io::Error::from(error).kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return State::Gone,
        }
    }
}

/// Linux: a descriptor that becomes readable when the process ends.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod pidfd {
    use std::{io, os::fd::OwnedFd, sync::OnceLock};

    use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
    use tokio::io::{Interest, unix::AsyncFd};

    use crate::readiness;

    #[derive(Debug)]
    pub(super) struct PidFd(AsyncFd<OwnedFd>);

    /// Whether this system has them.
    pub(super) fn are_there() -> bool {
        static THERE: OnceLock<bool> = OnceLock::new();
        *THERE.get_or_init(|| pidfd_open(getpid(), PidfdFlags::empty()).is_ok())
    }

    impl PidFd {
        /// Fails on kernels before 5.3, in some sandboxes, and when descriptors run out.
        pub(super) fn open(pid: Pid) -> io::Result<Self> {
            Self::watch(pidfd_open(pid, PidfdFlags::empty())?)
        }

        pub(super) fn watch(pidfd: OwnedFd) -> io::Result<Self> {
            readiness::watch(pidfd, Interest::READABLE).map(Self)
        }

        /// Readiness of a pidfd never ends, so there is nothing to clear.
        pub(super) async fn ended(&self) -> io::Result<()> {
            self.0.readable().await.map(drop)
        }
    }
}

/// Everywhere: asks now and then. The end of the control socket, which comes with the child's death, makes the caller
/// [`look`](ExitWatch::look) at once, so that this interval matters only where something else holds that socket.
mod poll {
    use std::time::Duration;

    use super::{Pid, State, state};

    const EVERY: Duration = Duration::from_millis(10);

    pub(super) async fn ended(pid: Pid) {
        while state(pid) == State::Running {
            tokio::time::sleep(EVERY).await;
        }
    }
}
