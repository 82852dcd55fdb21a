//! Bytes between two processes through memory that both have, without the kernel.

mod region;
mod ring;

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::BufMut;
use rustix::{
    event::{EventfdFlags, eventfd},
    io::Errno,
};
use tokio::io::{Interest, unix::AsyncFd};

use self::{
    region::Region,
    ring::{Reader, SIZE, Tell, Writer},
};
use crate::readiness;

/// A pair of byte pipes in shared memory, one for each direction.
///
/// Each side has a bell, an eventfd that its poller watches. It is rung only if the side sleeps: by whoever writes something
/// to it, or makes room that it waits for. The bell is never read: each ring is a new edge.
#[derive(Debug)]
pub(crate) struct Lane {
    writer: Writer,
    reader: Reader,
    bell: AsyncFd<OwnedFd>,
    their_bell: OwnedFd,
    _counted: Counted,
}

/// The descriptors by which the other side gets its end: the memory, its bell, and the bell of who makes the offer.
pub(crate) const DESCRIPTORS: usize = 3;

/// Lanes of this process. Each has half a mebibyte of memory, once it was used, and two descriptors.
static LANES: AtomicUsize = AtomicUsize::new(0);

/// More connections than this use the socket alone: who has so many has other worries than the latency of each, and
/// descriptors are few.
const MOST: usize = 64;

/// One of the lanes that there are.
#[derive(Debug)]
struct Counted(());

impl Counted {
    fn new() -> io::Result<Self> {
        let count = LANES.fetch_add(1, Ordering::Relaxed);
        let this = Self(());
        if count < MOST { Ok(this) } else { Err(io::Error::other("there are enough lanes")) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LANES.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lane {
    /// Makes a lane, and what the other side needs of it.
    pub(crate) fn offer() -> io::Result<(Self, [OwnedFd; DESCRIPTORS])> {
        let counted = Counted::new()?;
        let (region, memory) = Region::create(SIZE)?;
        let [ours, theirs] = [bell()?, bell()?];
        let descriptors = [memory, theirs.try_clone()?, ours.try_clone()?];
        Ok((Self::new(region, [0, 1], ours, theirs, counted)?, descriptors))
    }

    /// Takes the other side's offer.
    pub(crate) fn accept(descriptors: Vec<OwnedFd>) -> io::Result<Self> {
        let counted = Counted::new()?;
        let Ok([memory, ours, theirs]) = <[OwnedFd; DESCRIPTORS]>::try_from(descriptors) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an offer with other descriptors"));
        };
        Self::new(Region::open(&memory, SIZE)?, [1, 0], ours, theirs, counted)
    }

    fn new(
        region: Region,
        [writes, reads]: [usize; 2],
        bell: OwnedFd,
        their_bell: OwnedFd,
        counted: Counted,
    ) -> io::Result<Self> {
        let region = Arc::new(region);
        Ok(Self {
            writer: Writer::new(&region, writes),
            reader: Reader::new(&region, reads),
            bell: readiness::watch(bell, Interest::READABLE)?,
            their_bell,
            _counted: counted,
        })
    }

    /// Writes as much as there is room for. If there is none our bell is rung when there is.
    pub(crate) fn try_send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let (mut sent, mut asked) = (0, false);
        for slice in slices {
            let mut rest: &[u8] = slice;
            while !rest.is_empty() {
                let (written, tell) = self.writer.write(rest)?;
                self.tell(tell);
                sent += written;
                rest = rest.get(written..).unwrap_or_default();
                if rest.is_empty() {
                    break;
                }
                // Once: a reader that is as fast as we are must not keep us here.
                if std::mem::replace(&mut asked, true) || !self.writer.wait()? {
                    return if sent > 0 { Ok(sent) } else { Err(io::ErrorKind::WouldBlock.into()) };
                }
            }
        }
        Ok(sent)
    }

    /// Reads what is there into the buffer's spare room. `Pending` if there is nothing; nobody is woken by what comes later.
    #[inline]
    pub(crate) fn recv_now(&mut self, mut buffer: impl BufMut) -> Poll<io::Result<usize>> {
        let mut received = 0;
        while buffer.has_remaining_mut() {
            // SAFETY: nothing but initialised bytes is written there.
            let room: &mut [MaybeUninit<u8>] = unsafe { buffer.chunk_mut().as_uninit_slice_mut() };
            let (read, tell) = match self.reader.read(room) {
                Ok(read) => read,
                Err(error) => return Poll::Ready(Err(error)),
            };
            self.tell(tell);
            if read == 0 {
                break;
            }
            // SAFETY: so much of the room was filled just now.
            unsafe { buffer.advance_mut(read) };
            received += read;
        }
        if received > 0 { Poll::Ready(Ok(received)) } else { Poll::Pending }
    }

    /// Has the task woken by the bell, which now tells of nothing but room to write.
    pub(crate) fn poll_bell(&self, cx: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut guard)) = self.bell.poll_read_ready(cx) {
            guard.clear_ready();
        }
    }

    /// Whether there is more to read. If not, the task is woken by what comes, and by room to write if that is waited for.
    #[inline]
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            if self.reader.sleep() {
                self.reader.wake();
                return true;
            }
            match self.bell.poll_read_ready(cx) {
                // It was rung at some time, and may have been before this side asked for it.
                Poll::Ready(Ok(mut guard)) => guard.clear_ready(),
                Poll::Ready(Err(_)) | Poll::Pending => return false,
            }
        }
    }

    /// Has the bell rung by what comes next. Returns whether there is something already.
    #[inline]
    pub(crate) fn sleep(&mut self) -> bool {
        self.reader.sleep()
    }

    /// This side looks for itself: nobody needs to ring.
    #[inline]
    pub(crate) fn wake(&mut self) {
        self.reader.wake();
    }

    /// Whether there is something to read.
    #[inline]
    pub(crate) fn has_bytes(&self) -> bool {
        self.reader.has_bytes()
    }

    #[inline]
    fn tell(&self, tell: Tell) {
        if tell == Tell::Ring {
            self.ring();
        }
    }

    fn ring(&self) {
        // It fails only if the other side has spoilt its own bell.
        while rustix::io::write(&self.their_bell, &1u64.to_ne_bytes()) == Err(Errno::INTR) {}
    }
}

fn bell() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker_ref;

    use super::*;

    fn received(lane: &mut Lane) -> Option<Vec<u8>> {
        let mut buffer = bytes::BytesMut::with_capacity(1 << 20);
        match lane.recv_now((&mut buffer).limit(1 << 20)) {
            Poll::Ready(received) => {
                assert_eq!(received.unwrap(), buffer.len());
                Some(buffer.to_vec())
            }
            Poll::Pending => None,
        }
    }

    /// Waits until the bell has been rung.
    async fn rung(lane: &mut Lane) {
        std::future::poll_fn(|cx| if lane.poll_more(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    #[tokio::test]
    async fn bytes_go_both_ways_and_wake_who_sleeps() {
        let (mut ours, descriptors) = Lane::offer().unwrap();
        let mut theirs = Lane::accept(descriptors.into()).unwrap();
        assert_eq!(received(&mut ours), None);
        for round in 0..3_u8 {
            assert!(!theirs.poll_more(&mut Context::from_waker(noop_waker_ref())));
            let number = [round];
            let slices = [IoSlice::new(b"there "), IoSlice::new(&number)];
            assert_eq!(ours.try_send(&slices).unwrap(), 7);
            rung(&mut theirs).await;
            assert_eq!(received(&mut theirs).unwrap(), [&b"there "[..], &number].concat());
            assert_eq!(theirs.try_send(&[IoSlice::new(b"back")]).unwrap(), 4);
            rung(&mut ours).await;
            assert_eq!(received(&mut ours).unwrap(), b"back");
        }
    }

    #[tokio::test]
    async fn who_waits_for_room_is_told_of_it() {
        let (mut ours, descriptors) = Lane::offer().unwrap();
        let mut theirs = Lane::accept(descriptors.into()).unwrap();
        let message = vec![7; 1 << 20];
        let sent = ours.try_send(&[IoSlice::new(&message)]).unwrap();
        assert!(sent < message.len());
        assert_eq!(ours.try_send(&[IoSlice::new(b"x")]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let waiting = tokio::spawn(async move {
            std::future::poll_fn(|cx| {
                let _ = ours.poll_more(cx);
                match ours.try_send(&[IoSlice::new(b"x")]) {
                    Ok(sent) => Poll::Ready(sent),
                    Err(_) => Poll::Pending,
                }
            })
            .await
        });
        tokio::task::yield_now().await;
        assert_eq!(received(&mut theirs).unwrap().len(), sent);
        assert_eq!(waiting.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn an_offer_of_something_else_is_refused() {
        let pipe = || OwnedFd::from(io::pipe().unwrap().0);
        assert!(Lane::accept(Vec::new()).is_err());
        assert!(Lane::accept(vec![pipe(), bell().unwrap(), bell().unwrap()]).is_err());
        let (_ours, [memory, bell, _]) = Lane::offer().unwrap();
        // A file can always be read: it tells of nothing.
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        assert!(Lane::accept(vec![memory, file, bell]).is_err());
    }
}
