//! Our end of a child's control socket, never blocking.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd, OwnedFd},
    task::{Context, Poll, ready},
};

use tokio::io::{Interest, unix::AsyncFd};

use super::{
    messages::{Kind, Message, Splitter, encode},
    socket::send_bytes,
};

/// Our end of a child's control socket.
#[derive(Debug)]
pub(super) struct Channel {
    socket: AsyncFd<OwnedFd>,
    incoming: Splitter,
    ticket: Outgoing,
    messages: Outgoing,
    /// Whether the poller tells when the child has read. Every read of the child would wake the keeper, so it does only
    /// where the socket could not take the whole ticket at once.
    watches_writing: bool,
}

/// What comes from a child.
#[derive(Debug)]
pub(super) enum Event {
    Message(Message),
    /// The child, and all who had the socket from it, closed it; or it sent what is no message.
    Closed,
}

#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Channel {
    /// Takes a socket that does not block, over which the header and the first `sent` bytes of the ticket were sent, and
    /// sends the rest.
    pub(super) fn new(socket: OwnedFd, mut ticket: Vec<u8>, sent: usize) -> io::Result<Self> {
        let watches_writing = sent < ticket.len();
        if !watches_writing {
            ticket = Vec::new();
        }
        let interest = if watches_writing { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        Ok(Self {
            socket: crate::readiness::watch(socket, interest)?,
            incoming: Splitter::default(),
            ticket: Outgoing { bytes: ticket, sent },
            messages: Outgoing::default(),
            watches_writing,
        })
    }

    /// Whether the child took the whole ticket, or at least the kernel for it.
    pub(super) fn ticket_sent(&self) -> bool {
        self.ticket.bytes.is_empty()
    }

    /// Sends a message after all that is waiting. [`next`](Self::next) moves it.
    pub(super) fn send(&mut self, kind: Kind) {
        self.messages.bytes.extend(encode(kind, &[]));
    }

    /// The next event; sends what is waiting meanwhile. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Event {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// What is already there, without waiting.
    pub(super) async fn next_now(&mut self) -> Option<Event> {
        poll_fn(|cx| match self.poll_next(cx) {
            Poll::Ready(event) => Poll::Ready(Some(event)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.flush(cx);
        loop {
            match self.incoming.next() {
                Ok(Some(message)) => return Poll::Ready(Event::Message(message)),
                Ok(None) => {}
                Err(_) => return Poll::Ready(Event::Closed),
            }
            let Ok(mut guard) = ready!(self.socket.poll_read_ready(cx)) else { return Poll::Ready(Event::Closed) };
            let mut chunk = [0; 4 << 10];
            match guard.try_io(|socket| Ok(rustix::io::read(socket.get_ref(), &mut chunk)?)) {
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

    /// An error here means that the child is gone; reading tells that, after the last words it may have sent.
    fn flush(&mut self, cx: &mut Context<'_>) {
        for outgoing in [&mut self.ticket, &mut self.messages] {
            while !outgoing.bytes.is_empty() {
                let rest = &outgoing.bytes[outgoing.sent..];
                let sent = if self.watches_writing {
                    let Poll::Ready(Ok(mut guard)) = self.socket.poll_write_ready(cx) else { return };
                    let Ok(sent) = guard.try_io(|socket| send_bytes(socket.get_ref().as_fd(), rest)) else {
                        continue;
                    };
                    sent
                } else {
                    // There is room for the few bytes that go out later. If there is not, the child does not listen,
                    // and its time runs out.
                    send_bytes(self.socket.get_ref().as_fd(), rest)
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
