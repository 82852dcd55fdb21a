//! The process at the other end of a socket, when somebody else started it.
//!
//! Its exit status belongs to its parent, but Linux tells it to whoever held a pidfd of it: since 6.5 a socket gives the
//! pidfd of its peer, since 6.15 a pidfd gives the exit status. On older kernels, and elsewhere, nothing is known.

pub(crate) use system::PeerProcess;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::{
        io,
        mem::size_of,
        os::{
            fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
            unix::process::ExitStatusExt,
        },
        process::ExitStatus,
        time::Duration,
    };

    use tokio::{
        io::{Interest, unix::AsyncFd},
        time::sleep,
    };

    use crate::{death::Exit, process::child::exit, readiness};

    /// A process that somebody else started.
    #[derive(Debug)]
    pub(crate) struct PeerProcess(AsyncFd<OwnedFd>);

    impl PeerProcess {
        /// The process that listened when the socket was connected. `None` where its exit status could not be told.
        pub(crate) fn of(socket: BorrowedFd<'_>) -> Option<Self> {
            let pidfd = peer_pidfd(socket).ok()?;
            // A kernel that does not know the question says so now rather than at the process's end.
            exit_code(&pidfd).ok()?;
            readiness::watch(pidfd, Interest::READABLE).ok().map(Self)
        }

        /// Waits for the end of the process. It never returns if the kernel does not tell how that was.
        pub(crate) async fn exit(self) -> Exit {
            // Readable once it is a zombie.
            if self.0.readable().await.is_ok() {
                for _ in 0..LOOKS {
                    // Known once its parent has taken notice of its end.
                    if let Ok(Some(code)) = exit_code(self.0.get_ref()) {
                        return exit(code);
                    }
                    sleep(PAUSE).await;
                }
            }
            std::future::pending().await
        }
    }

    /// How long to look for the exit status of a process that is gone: `init` of a container may take its time.
    const LOOKS: u32 = 1000;
    const PAUSE: Duration = Duration::from_millis(2);

    fn peer_pidfd(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        // `SO_PEERPIDFD` of <asm-generic/socket.h>.
        const SO_PEERPIDFD: libc::c_int = 77;
        let mut pidfd: RawFd = -1;
        let mut length = size_of::<RawFd>() as libc::socklen_t;
        // SAFETY: the option's value is one descriptor, for which there is room.
        let result = unsafe {
            let value = (&raw mut pidfd).cast();
            libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_PEERPIDFD, value, &raw mut length)
        };
        if result != 0 || pidfd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor, close-on-exec, for nobody else.
        Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
    }

    /// `struct pidfd_info` of <linux/pidfd.h>, in its first version.
    #[repr(C)]
    #[derive(Default)]
    struct PidfdInfo {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }

    /// How the process has ended, if that is known yet.
    fn exit_code(pidfd: &OwnedFd) -> io::Result<Option<ExitStatus>> {
        const PIDFD_INFO_EXIT: u64 = 1 << 3;
        // _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info)
        const PIDFD_GET_INFO: u32 = 3 << 30 | (size_of::<PidfdInfo>() as u32) << 16 | 0xff << 8 | 11;
        let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
        // SAFETY: the request names the size of what it reads and writes, which is what the pointer refers to.
        let result = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
        if result == 0 {
            return Ok((info.mask & PIDFD_INFO_EXIT != 0).then(|| ExitStatus::from_raw(info.exit_code)));
        }
        match io::Error::last_os_error() {
            // It was reaped between two looks of an older kernel, or is in another PID namespace.
            error if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            error => Err(error),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::os::fd::BorrowedFd;

    use crate::death::Exit;

    /// Elsewhere nothing can be known of it.
    #[derive(Debug)]
    pub(crate) enum PeerProcess {}

    impl PeerProcess {
        pub(crate) fn of(_: BorrowedFd<'_>) -> Option<Self> {
            None
        }

        pub(crate) async fn exit(self) -> Exit {
            match self {}
        }
    }
}
