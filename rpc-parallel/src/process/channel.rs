//! Our end of a child's control socket, never blocking.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    task::{Context, Poll, ready},
};

use tokio::io::{Interest, unix::AsyncFd};

use super::{
    messages::{Kind, Message, Splitter, encode},
    socket::send_bytes,
};
use crate::readiness;

/// Our end of a child's control socket.
///
/// What a child says here matters only if something goes wrong, and then there are other signs of it: nobody is woken by
/// it, unless this is [watched](Self::watch).
#[derive(Debug)]
pub(super) struct Channel {
    socket: Socket,
    incoming: Splitter,
    ticket: Outgoing,
    messages: Outgoing,
}

/// What comes from a child.
#[derive(Debug)]
pub(super) enum Event {
    Message(Message),
    /// The child, and all who had the socket from it, closed it; or it sent what is no message.
    Closed,
}

#[derive(Debug)]
enum Socket {
    Unwatched(OwnedFd),
    /// The poller tells what comes.
    Reading(AsyncFd<OwnedFd>),
    /// It also tells when the child has read: the socket could not take the whole ticket at once.
    Writing(AsyncFd<OwnedFd>),
}

#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Channel {
    /// Takes a socket that does not block, over which the header and the first `sent` bytes of the ticket were sent, and
    /// sends the rest.
    pub(super) fn new(socket: OwnedFd, ticket: Vec<u8>, sent: usize) -> io::Result<Self> {
        let (socket, ticket) = if sent < ticket.len() {
            let interest = Interest::READABLE | Interest::WRITABLE;
            (Socket::Writing(readiness::watch(socket, interest)?), Outgoing { bytes: ticket, sent })
        } else {
            (Socket::Unwatched(socket), Outgoing::default())
        };
        Ok(Self { socket, incoming: Splitter::default(), ticket, messages: Outgoing::default() })
    }

    /// Has [`next`](Self::next) give what comes, where it would only send.
    pub(super) fn watch(self) -> io::Result<Self> {
        let socket = match self.socket {
            Socket::Unwatched(socket) => Socket::Reading(readiness::watch(socket, Interest::READABLE)?),
            watched => watched,
        };
        Ok(Self { socket, ..self })
    }

    /// Whether the child took the whole ticket, or at least the kernel for it.
    pub(super) fn ticket_sent(&self) -> bool {
        self.ticket.bytes.is_empty()
    }

    /// Sends a message after all that is waiting. [`next`](Self::next) moves it.
    pub(super) fn send(&mut self, kind: Kind) {
        self.messages.bytes.extend(encode(kind, &[]));
    }

    /// The next event, if this is watched; sends what is waiting meanwhile. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Event {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// What is already there.
    pub(super) fn next_now(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.parsed() {
                return Some(event);
            }
            let mut chunk = [0; CHUNK];
            match read(self.socket.get(), &mut chunk) {
                Ok(0) => return Some(Event::Closed),
                Ok(read) => self.incoming.push(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Some(Event::Closed),
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.flush(cx);
        loop {
            if let Some(event) = self.parsed() {
                return Poll::Ready(event);
            }
            let (Socket::Reading(socket) | Socket::Writing(socket)) = &self.socket else { return Poll::Pending };
            let Ok(mut guard) = ready!(socket.poll_read_ready(cx)) else { return Poll::Ready(Event::Closed) };
            let mut chunk = [0; CHUNK];
            match guard.try_io(|socket| read(socket.as_fd(), &mut chunk)) {
                Err(_would_block) => {}
                Ok(Ok(read)) if read > 0 => {
                    // A short read has emptied the socket: the next bytes are a new edge.
                    if read < chunk.len() {
                        guard.clear_ready();
                    }
                    self.incoming.push(&chunk[..read]);
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) => return Poll::Ready(Event::Closed),
            }
        }
    }

    /// What was read before.
    fn parsed(&mut self) -> Option<Event> {
        match self.incoming.next() {
            Ok(message) => message.map(Event::Message),
            Err(_) => Some(Event::Closed),
        }
    }

    /// An error here means that the child is gone; reading tells that, after the last words it may have sent.
    fn flush(&mut self, cx: &mut Context<'_>) {
        for outgoing in [&mut self.ticket, &mut self.messages] {
            while !outgoing.bytes.is_empty() {
                let rest = &outgoing.bytes[outgoing.sent..];
                let sent = if let Socket::Writing(socket) = &self.socket {
                    let Poll::Ready(Ok(mut guard)) = socket.poll_write_ready(cx) else { return };
                    let Ok(sent) = guard.try_io(|socket| send_bytes(socket.get_ref().as_fd(), rest)) else {
                        continue;
                    };
                    sent
                } else {
                    // There is room for the few bytes that go out later. If there is not, the child does not listen,
                    // and its time runs out.
                    send_bytes(self.socket.get(), rest)
                };
                match sent {
                    Ok(sent) => outgoing.sent += sent,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
                if outgoing.sent == outgoing.bytes.len() {
                    *outgoing = Outgoing::default();
                }
            }
        }
    }
}

/// How much is read at once: far more than a child says.
const CHUNK: usize = 4 << 10;

fn read(socket: BorrowedFd<'_>, chunk: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(socket, chunk)?)
}

impl Socket {
    fn get(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unwatched(socket) => socket.as_fd(),
            Self::Reading(socket) | Self::Writing(socket) => socket.as_fd(),
        }
    }
}
