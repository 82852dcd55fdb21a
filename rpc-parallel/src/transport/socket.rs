//! A connected, non-blocking Unix socket, read by one driver and written under its connection's lock.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::OnceLock,
    task::{Context, Poll, ready},
};

use bytes::BufMut;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, recv, send, sendmsg};
use tokio::io::{Interest, unix::AsyncFd};

use super::DESCRIPTORS;
#[cfg(target_os = "linux")]
use super::receive::receive;
use crate::readiness::{self, Watched};

/// How much the kernel holds of what the peer has not read yet, where it allows that much. With its default of 208 KiB
/// a large message makes both sides sleep and wake many times over. It is memory only while the peer does not read.
const SEND_BUFFER: usize = 1 << 20;

/// The socket of one connection.
///
/// Only interest in reading is registered with the runtime's poller: were writing registered too, every read of the
/// peer would wake us up. A second registration for writing is made the first time that a write would block.
#[derive(Debug)]
pub(crate) struct Socket {
    readable: AsyncFd<OwnedFd>,
    writable: OnceLock<AsyncFd<OwnedFd>>,
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readable.get_ref().as_fd()
    }
}

impl Socket {
    /// Registers the stream with the current runtime.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::prepared(readiness::watch(OwnedFd::from(stream), Interest::READABLE)?)
    }

    /// The same for a non-blocking one of our own making, which a runtime watches already.
    pub(crate) fn watched(socket: Watched) -> io::Result<Self> {
        Self::prepared(socket.here()?)
    }

    fn prepared(readable: AsyncFd<OwnedFd>) -> io::Result<Self> {
        quiet::prepare(readable.get_ref().as_fd())?;
        // A smaller buffer works as well, only slower.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(readable.get_ref(), SEND_BUFFER);
        Ok(Self { readable, writable: OnceLock::new() })
    }

    /// Reads what is there into the buffer's spare room, of which there must be some. `Ok(0)` is the end of the file.
    /// Descriptors that come with it go to the inbox, and are closed where there is none.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        mut buffer: impl BufMut,
        mut inbox: Option<&mut Vec<OwnedFd>>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.readable.poll_read_ready(cx))?;
            let limit = buffer.chunk_mut().len();
            match recv_into(self.readable.get_ref(), &mut buffer, inbox.as_deref_mut()) {
                Ok((read, came)) => {
                    // A short read has emptied the socket, unless it ended behind descriptors: the next bytes are a new edge, so
                    // asking again can wait.
                    if read < limit && read > 0 && !came {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(read));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Whether there may be more to read. If not, the task is woken by what comes.
    pub(crate) fn poll_more(&self, cx: &mut Context<'_>) -> bool {
        self.readable.poll_read_ready(cx).is_ready()
    }

    /// Reads what is there, without asking the runtime's poller, which may not have seen it yet. `Pending` if there is
    /// nothing; nobody is woken by what comes later.
    pub(crate) fn recv_now(
        &self,
        mut buffer: impl BufMut,
        mut inbox: Option<&mut Vec<OwnedFd>>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match recv_into(self.readable.get_ref(), &mut buffer, inbox.as_deref_mut()) {
                Ok((read, _)) => return Poll::Ready(Ok(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Writes as much as the socket takes now.
    pub(crate) fn try_send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = self.readable.get_ref();
        loop {
            let sent = match slices {
                // Most are one piece, which is less work for the kernel.
                [piece] => send(socket, piece, quiet::SEND),
                pieces => sendmsg(socket, pieces, &mut SendAncillaryBuffer::default(), quiet::SEND),
            };
            match sent {
                Ok(written) => return Ok(written),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// The same, and with the first byte these descriptors.
    pub(crate) fn try_send_with(&self, slices: &[IoSlice<'_>], fds: &[OwnedFd]) -> io::Result<usize> {
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); CONTROL];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors for one message"));
        }
        loop {
            match sendmsg(self.readable.get_ref(), slices, &mut control, quiet::SEND) {
                Ok(written) => return Ok(written),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Waits until the socket takes bytes again. To be asked only after a write would have blocked.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let writable = match self.writable.get() {
            Some(writable) => writable,
            None => {
                let duplicate = self.readable.get_ref().try_clone()?;
                let fresh = readiness::watch(duplicate, Interest::WRITABLE)?;
                self.writable.get_or_init(|| fresh)
            }
        };
        // Readiness is consumed here: the caller writes until the socket would block again.
        ready!(writable.poll_write_ready(cx))?.clear_ready();
        Poll::Ready(Ok(()))
    }

    /// Ends both directions, while handles may still hold the descriptor.
    pub(crate) fn shutdown(&self) {
        // It fails only where the peer is gone already.
        let _ = rustix::net::shutdown(self.readable.get_ref(), rustix::net::Shutdown::Both);
    }
}

/// Room for as many descriptors as ever come along.
const CONTROL: usize = rustix::cmsg_space!(ScmRights(DESCRIPTORS));

/// Appends what one read gives. Says how many bytes, and whether descriptors came.
fn recv_into(fd: impl AsFd, buffer: &mut impl BufMut, inbox: Option<&mut Vec<OwnedFd>>) -> io::Result<(usize, bool)> {
    // SAFETY: nothing but initialised bytes is written there.
    let room: &mut [MaybeUninit<u8>] = unsafe { buffer.chunk_mut().as_uninit_slice_mut() };
    let (read, came) = match inbox {
        None => (recv(fd, room, RecvFlags::empty())?.0.0.len(), false),
        #[cfg(not(target_os = "linux"))]
        Some(_) => (recv(fd, room, RecvFlags::empty())?.0.0.len(), false),
        #[cfg(target_os = "linux")]
        Some(inbox) => receive(fd, room, inbox)?,
    };
    // SAFETY: the read has initialised that much of the chunk.
    unsafe { buffer.advance_mut(read) };
    Ok((read, came))
}

/// Writing without SIGPIPE: a program that has set that to its default would be ended by a worker's death.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod quiet {
    use std::{io, os::fd::BorrowedFd};

    use rustix::net::SendFlags;

    pub(super) const SEND: SendFlags = SendFlags::NOSIGNAL;

    pub(super) fn prepare(_: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Elsewhere it is a property of the socket, where there is one.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod quiet {
    use std::{io, os::fd::BorrowedFd};

    use rustix::net::SendFlags;

    pub(super) const SEND: SendFlags = SendFlags::empty();

    pub(super) fn prepare(socket: BorrowedFd<'_>) -> io::Result<()> {
        #[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd"))]
        rustix::net::sockopt::set_socket_nosigpipe(socket, true)?;
        #[cfg(not(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd")))]
        let _ = socket;
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_follows_descriptors_is_read_though_nothing_more_comes() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ours, theirs) = (Socket::new(ours).unwrap(), Socket::new(theirs).unwrap());
        let descriptor = [theirs.as_fd().try_clone_to_owned().unwrap()];
        assert_eq!(theirs.try_send_with(&[IoSlice::new(b"with")], &descriptor).unwrap(), 4);
        assert_eq!(theirs.try_send(&[IoSlice::new(b"behind")]).unwrap(), 6);
        let (mut inbox, mut read) = (Vec::new(), Vec::with_capacity(100));
        while read.len() < 10 {
            let more = poll_fn(|cx| ours.poll_recv(cx, &mut read, Some(&mut inbox)));
            assert!(
                tokio::time::timeout(Duration::from_secs(10), more).await.expect("it waits for more").unwrap() > 0
            );
        }
        assert_eq!((&read[..], inbox.len()), (&b"withbehind"[..], 1));
        // Now it is empty, and known to be.
        assert!(poll_fn(|cx| Poll::Ready(!ours.poll_more(cx))).await);
    }
}
