//! The control socket: made, written and read without a signal and without leaking into other children.

use std::{
    io::{self, IoSlice},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketType, getsockname, send, sendmsg,
    sockopt,
};

use super::messages::MAX_DESCRIPTORS;

/// A connected pair of Unix stream sockets, both closed on exec.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(system::pair()?)
}

pub(super) use system::StartingAlone;

/// Sends bytes, and with their first one these descriptors. May send fewer bytes.
pub(crate) fn send_with_descriptors(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[OwnedFd]) -> io::Result<usize> {
    if fds.is_empty() {
        return send_bytes(socket, bytes);
    }
    let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
    let mut space = vec![std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors for one message"));
    }
    Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut control, system::SEND)?)
}

/// Sends bytes. A peer that is gone is an error, never SIGPIPE.
pub(crate) fn send_bytes(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(socket, bytes, system::SEND)?)
}

/// Sends all the bytes on a blocking socket.
pub(crate) fn send_all(socket: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match send_bytes(socket, bytes) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether this is the kind of socket that [`pair`] makes.
pub(crate) fn is_unix_stream(fd: BorrowedFd<'_>) -> bool {
    matches!(sockopt::socket_type(fd), Ok(SocketType::STREAM))
        && getsockname(fd).is_ok_and(|address| address.address_family() == AddressFamily::UNIX)
}

pub(crate) use system::{CLOSED_ON_ARRIVAL, receive_flags};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use rustix::net::{RecvFlags, SocketFlags, socketpair};

    use super::*;

    pub(super) const SEND: SendFlags = SendFlags::NOSIGNAL;

    /// Needed elsewhere.
    #[derive(Debug)]
    pub(crate) struct StartingAlone;

    impl StartingAlone {
        pub(crate) fn new() -> Self {
            Self
        }
    }

    pub(super) fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
    }

    /// Descriptors that arrive are closed on exec from the first moment.
    pub(crate) const CLOSED_ON_ARRIVAL: bool = true;

    pub(crate) fn receive_flags() -> RecvFlags {
        RecvFlags::CMSG_CLOEXEC
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::{
        io::{FdFlags, fcntl_setfd},
        net::{RecvFlags, SocketFlags, socketpair},
    };

    use super::*;

    pub(super) const SEND: SendFlags = SendFlags::empty();

    /// While this is there no other worker is started: it would inherit a socket that was just made, and hold it as long as it
    /// lives.
    #[derive(Debug)]
    pub(crate) struct StartingAlone {
        _lock: MutexGuard<'static, ()>,
    }

    impl StartingAlone {
        pub(crate) fn new() -> Self {
            static LOCK: Mutex<()> = Mutex::new(());
            Self { _lock: LOCK.lock().unwrap_or_else(PoisonError::into_inner) }
        }
    }

    /// Between the two calls another thread may fork, unless [`StartingAlone`] keeps it from that: the window is as large as
    /// std's own, and there is no better call here. Such a child holds the socket until its own death.
    pub(super) fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
        for end in [&ours, &theirs] {
            fcntl_setfd(end, FdFlags::CLOEXEC)?;
            #[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd"))]
            sockopt::set_socket_nosigpipe(end, true)?;
        }
        Ok((ours, theirs))
    }

    /// The receiver sets `FD_CLOEXEC` afterwards.
    pub(crate) const CLOSED_ON_ARRIVAL: bool = false;

    pub(crate) fn receive_flags() -> RecvFlags {
        RecvFlags::empty()
    }
}
