//! Our end of a child's first connection, until the child is ready.
//!
//! It is a socket pair of which the child gets one end with its ticket. The first thing on it is what the child says when it
//! is ready; what follows is the business of whoever launched it. So whoever waits for the child hears from it at once, and
//! the keeper sleeps on.

use std::{
    future::poll_fn,
    io,
    os::fd::OwnedFd,
    task::{Poll, ready},
};

use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};

use super::messages::{Head, Kind};
use crate::readiness::Watched;

/// Our end of a child's first connection, until the child is ready.
#[derive(Debug)]
pub(super) struct FirstConnection(Watched);

impl FirstConnection {
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        Watched::new(socket).map(Self)
    }

    /// What the child says when it is ready. `None` if it will never say it: it has closed its end, which all do that end,
    /// or talks nonsense.
    pub(super) async fn ready(&self) -> Option<Vec<u8>> {
        let mut head = [0; Head::SIZE];
        self.fill(&mut head).await.ok()?;
        let head = Head::decode(head).ok().filter(|head| head.kind == Kind::Ready)?;
        let mut bytes = vec![0; head.length as usize];
        self.fill(&mut bytes).await.ok()?;
        Some(bytes)
    }

    /// The socket, with all that the child has sent since.
    pub(super) fn into_socket(self) -> Watched {
        self.0
    }

    /// Reads as many bytes and none of those behind them. Each poll looks at the socket itself, of which the poller may not
    /// have told yet.
    async fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        let (socket, mut filled) = (self.0.descriptor(), 0);
        poll_fn(|cx| {
            let mut told = None;
            while filled < bytes.len() {
                match recv(socket.get_ref(), &mut bytes[filled..], RecvFlags::empty()) {
                    Ok((0, _)) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    Ok((read, _)) => filled += read,
                    // Only what was told before this look is out of date.
                    Err(Errno::AGAIN) => match told.take() {
                        None => told = Some(ready!(socket.poll_read_ready(cx))?),
                        Some(mut told) => told.clear_ready(),
                    },
                    Err(Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures_util::FutureExt;

    use super::*;
    use crate::process::messages::encode;

    #[tokio::test]
    async fn what_the_poller_has_not_told_of_is_there() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let connection = FirstConnection::new(ours.into()).unwrap();
        assert_eq!(connection.ready().now_or_never(), None);
        theirs.write_all(&encode(Kind::Ready, b"here")).unwrap();
        // The child has ended, and the runtime has had no turn since.
        drop(theirs);
        assert_eq!(connection.ready().now_or_never(), Some(Some(b"here".to_vec())));
        assert_eq!(connection.ready().now_or_never(), Some(None));
    }
}
