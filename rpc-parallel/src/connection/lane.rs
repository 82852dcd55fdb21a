//! How the bytes of a connection travel: over its socket, and once there are many through memory that both sides have.

use std::{
    hint,
    io::{self, IoSlice},
    os::fd::OwnedFd,
    task::{Context, Poll},
};

use bytes::BufMut;

use crate::{
    connection::core::Core,
    proto::Side,
    transport::{DESCRIPTORS, Lane, Socket},
};

/// A connection that has received less has better things to do than to make memory for both sides: that takes as long as some
/// ten calls.
const WORTH: u64 = 2 << 10;

/// Looks in a row: less than half a microsecond.
const LOOKS: u32 = 16;

/// The way of a connection's bytes.
#[derive(Debug)]
pub(super) struct Way {
    /// What may still come of it.
    plan: Plan,
    lane: Option<Lane>,
    /// From this byte of the output on it goes through the lane.
    sends_from: Option<u64>,
    /// What comes from the peer comes through the lane.
    receives: bool,
    /// Descriptors that go with what is written next.
    outbox: Option<[OwnedFd; DESCRIPTORS]>,
    /// Descriptors that came, of an offer that was not read yet.
    inbox: Vec<OwnedFd>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Plan {
    /// This side makes an offer when it is worth it.
    Offer,
    /// It takes an offer.
    Take,
    /// It reads past one.
    Refuse,
    /// Nothing any more.
    Keep,
}

impl Way {
    /// Over the socket, for now or for ever.
    pub(super) fn new(side: Side, shared_memory: bool) -> Self {
        let plan = match side {
            Side::Initiator if shared_memory => Plan::Offer,
            Side::Initiator => Plan::Keep,
            Side::Acceptor if shared_memory => Plan::Take,
            Side::Acceptor => Plan::Refuse,
        };
        Self { plan, lane: None, sends_from: None, receives: false, outbox: None, inbox: Vec::new() }
    }

    /// The connection is over: who still holds a handle of it needs neither the memory nor the bells.
    pub(super) fn close(&mut self) {
        self.plan = Plan::Keep;
        (self.lane, self.receives, self.outbox) = (None, false, None);
        self.inbox.clear();
    }

    /// Whether output from this byte on goes through the lane.
    #[inline]
    pub(super) fn sends_by_lane(&self, byte: u64) -> bool {
        self.sends_from.is_some_and(|from| byte >= from)
    }

    /// Writes as much of these bytes as is taken now, which begin with this byte of the output.
    #[inline]
    pub(super) fn try_send(&mut self, socket: &Socket, byte: u64, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if let Some(from) = self.sends_from {
            if byte >= from
                && let Some(lane) = &mut self.lane
            {
                return lane.try_send(slices);
            }
            // What is before the change, piece by piece.
            let first = slices.first().map_or(&[][..], |first| first);
            let left = usize::try_from(from - byte).unwrap_or(usize::MAX).min(first.len());
            return socket.try_send(&[IoSlice::new(first.get(..left).unwrap_or_default())]);
        }
        if self.outbox.is_some() {
            return self.send_with_outbox(socket, slices);
        }
        socket.try_send(slices)
    }

    #[cold]
    fn send_with_outbox(&mut self, socket: &Socket, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let sent = socket.try_send_with(slices, self.outbox.as_ref().map_or(&[], |fds| fds))?;
        self.outbox = None;
        Ok(sent)
    }

    /// Reads what is there. `Ok(0)` is the end of the file.
    #[inline]
    pub(super) fn poll_recv(
        &mut self,
        socket: &Socket,
        cx: &mut Context<'_>,
        buffer: impl BufMut,
    ) -> Poll<io::Result<usize>> {
        self.recv(buffer, |inbox, buffer| socket.poll_recv(cx, buffer, inbox))
    }

    /// Reads what is there, without asking the runtime's poller. `Pending` if there is nothing; nobody is woken by what comes
    /// later.
    pub(super) fn recv_now(&mut self, socket: &Socket, buffer: impl BufMut) -> Poll<io::Result<usize>> {
        self.recv(buffer, |inbox, buffer| socket.recv_now(buffer, inbox))
    }

    /// The same for whoever looks often. Through a lane there is no end of the file, which only the driver looks for.
    #[inline]
    pub(super) fn look(&mut self, socket: &Socket, buffer: impl BufMut) -> Poll<io::Result<usize>> {
        match &mut self.lane {
            Some(lane) if self.receives => lane.recv_now(buffer),
            _ => self.recv_now(socket, buffer),
        }
    }

    #[inline]
    fn recv<B: BufMut>(
        &mut self,
        mut buffer: B,
        from_socket: impl FnOnce(Option<&mut Vec<OwnedFd>>, &mut B) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(lane) = self.lane.as_mut().filter(|_| self.receives) else {
            let offered = matches!(self.plan, Plan::Take | Plan::Refuse);
            return from_socket(offered.then_some(&mut self.inbox), &mut buffer);
        };
        if let Poll::Ready(received) = lane.recv_now(&mut buffer) {
            return Poll::Ready(received);
        }
        // By now the socket has nothing to tell but the end. What was written to the lane before comes first.
        match from_socket(None, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(1..)) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the peer has used the socket after it had changed to shared memory",
            ))),
            Poll::Ready(end) => match lane.recv_now(&mut buffer) {
                Poll::Ready(received) => Poll::Ready(received),
                Poll::Pending => Poll::Ready(end),
            },
        }
    }

    /// Whether there may be more to read after a read that has found something, or `more` says so. If not, the task is woken by
    /// what comes.
    #[inline]
    pub(super) fn poll_more(&mut self, socket: &Socket, cx: &mut Context<'_>, more: bool) -> bool {
        match &mut self.lane {
            Some(lane) if self.receives => lane.poll_more(cx) || socket.poll_more(cx),
            Some(lane) => {
                // It tells of room to write.
                lane.poll_bell(cx);
                more && socket.poll_more(cx)
            }
            None => more && socket.poll_more(cx),
        }
    }

    /// Somebody looks for what comes: the peer need not say so.
    #[inline]
    pub(super) fn begin_looking(&mut self) {
        if let Some(lane) = &mut self.lane {
            lane.wake();
        }
    }

    /// Nobody looks any more. Returns whether something has come that the driver must see to.
    #[inline]
    pub(super) fn end_looking(&mut self) -> bool {
        self.receives && self.lane.as_mut().is_some_and(Lane::sleep)
    }

    /// Whether bytes may come while somebody only looks at memory.
    #[inline]
    pub(super) fn is_memory(&self) -> bool {
        self.receives
    }

    /// Looks at memory some times, until something is there.
    pub(super) fn linger(&self) {
        let Some(lane) = &self.lane else { return };
        for _ in 0..LOOKS {
            if lane.has_bytes() {
                return;
            }
            hint::spin_loop();
        }
    }
}

impl Core {
    /// Offers memory to the peer, once that is worth it. Where it cannot be had the socket goes on.
    #[inline]
    pub(super) fn offer_lane(&mut self) {
        if self.way.plan == Plan::Offer && self.session.bytes_received() >= WORTH {
            self.offer_lane_now();
        }
    }

    #[cold]
    fn offer_lane_now(&mut self) {
        if !self.session.may_offer_lane() {
            return;
        }
        self.way.plan = Plan::Keep;
        if let Ok((lane, descriptors)) = Lane::offer() {
            (self.way.lane, self.way.outbox) = (Some(lane), Some(descriptors));
            self.session.offer_lane();
        }
    }

    /// The peer has made an offer.
    #[cold]
    pub(super) fn take_lane(&mut self) {
        let descriptors = std::mem::take(&mut self.way.inbox);
        let plan = self.way.plan;
        if !matches!(plan, Plan::Take | Plan::Refuse) {
            return;
        }
        self.way.plan = Plan::Keep;
        if plan == Plan::Take
            && let Ok(lane) = Lane::accept(descriptors)
        {
            self.way.lane = Some(lane);
            self.way.sends_from = Some(self.session.switch_lane());
        }
    }

    /// What follows from the peer comes through the lane. Who has offered it follows.
    #[cold]
    pub(super) fn follow_lane(&mut self) {
        self.way.receives = self.way.lane.is_some();
        if self.way.receives && self.way.sends_from.is_none() {
            self.way.sends_from = Some(self.session.switch_lane());
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{future::poll_fn, os::unix::net::UnixStream, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_follows_an_offer_is_read_whether_it_is_wanted_or_not() {
        for shared_memory in [true, false] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (ours, theirs) = (Socket::new(ours).unwrap(), Socket::new(theirs).unwrap());
            let (_lane, descriptors) = Lane::offer().unwrap();
            assert_eq!(theirs.try_send_with(&[IoSlice::new(b"offer")], &descriptors).unwrap(), 5);
            assert_eq!(theirs.try_send(&[IoSlice::new(b"behind")]).unwrap(), 6);
            let (mut way, mut read) = (Way::new(Side::Acceptor, shared_memory), Vec::with_capacity(100));
            while read.len() < 11 {
                let more = poll_fn(|cx| way.poll_recv(&ours, cx, &mut read));
                let more = tokio::time::timeout(Duration::from_secs(10), more).await;
                assert!(more.expect("it waits for more").unwrap() > 0, "{shared_memory}");
            }
            assert_eq!((&read[..], way.inbox.len()), (&b"offerbehind"[..], DESCRIPTORS));
        }
    }
}
