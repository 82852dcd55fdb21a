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
    /// Takes a socket whose header was sent, and sends the rest.
    pub(super) fn new(socket: OwnedFd, ticket: Vec<u8>) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Self {
            socket: crate::readiness::watch(socket, Interest::READABLE | Interest::WRITABLE)?,
            incoming: Splitter::default(),
            ticket: Outgoing { bytes: ticket, sent: 0 },
            messages: Outgoing::default(),
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
        let mut chunk = [0; 16 << 10];
        loop {
            match self.incoming.next() {
                Ok(Some(message)) => return Poll::Ready(Event::Message(message)),
                Ok(None) => {}
                Err(_) => return Poll::Ready(Event::Closed),
            }
            let Ok(mut guard) = ready!(self.socket.poll_read_ready(cx)) else { return Poll::Ready(Event::Closed) };
            match guard.try_io(|socket| Ok(rustix::io::read(socket.get_ref(), &mut chunk)?)) {
                Err(_would_block) => {}
                Ok(Ok(read)) if read > 0 => self.incoming.push(&chunk[..read]),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) => return Poll::Ready(Event::Closed),
            }
        }
    }

    /// An error here means that the child is gone; reading tells that, after the last words it may have sent.
    fn flush(&mut self, cx: &mut Context<'_>) {
        for outgoing in [&mut self.ticket, &mut self.messages] {
            while !outgoing.bytes.is_empty() {
                let Poll::Ready(Ok(mut guard)) = self.socket.poll_write_ready(cx) else { return };
                let rest = &outgoing.bytes[outgoing.sent..];
                match guard.try_io(|socket| send_bytes(socket.get_ref().as_fd(), rest)) {
                    Err(_would_block) => {}
                    Ok(Ok(sent)) => outgoing.sent += sent,
                    Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(Err(_)) => return,
                }
                if outgoing.sent == outgoing.bytes.len() {
                    *outgoing = Outgoing::default();
                }
            }
        }
    }
}
