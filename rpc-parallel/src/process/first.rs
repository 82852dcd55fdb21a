//! Our end of a child's first connection, until the child is ready.
//!
//! It is a socket pair of which the child gets one end with its ticket. The first thing on it is what the child says when it
//! is ready; what follows is the business of whoever launched it. So whoever waits for the child hears from it at once, and
//! the keeper sleeps on.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::net::{RecvFlags, recv};

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

    /// Reads as many bytes and none of those behind them.
    async fn fill(&self, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut guard = self.0.descriptor().readable().await?;
            match guard.try_io(|socket| Ok(recv(socket.get_ref().as_fd(), &mut *bytes, RecvFlags::empty())?.0)) {
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(read)) => bytes = &mut bytes[read..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}
