//! Who waits for replies.

use std::task::{Context, Waker};

use crate::{
    connection::waiting::note,
    wire::{Payload, Status},
};

/// The slots of those who wait for replies. A slot belongs to whoever waits, who gives it back: the session uses the id of
/// a call again as soon as the call is over on the wire, but whoever waits may look later.
#[derive(Debug)]
pub(super) struct Callers {
    slots: Vec<Caller>,
    /// The slot that is used next, or none: then a new one is.
    free: Link,
}

/// Somebody who waits for a reply. It takes one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Caller {
    waker: Option<Waker>,
    payload: Payload,
    /// The slot of the stream's reader, if a stream follows. Of a free slot: the one that is used after it.
    link: Link,
    status: Status,
    state: CallerState,
}

/// A slot, or none.
#[derive(Clone, Copy, Debug)]
struct Link(u32);

impl Link {
    const NONE: Self = Self(u32::MAX);

    fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    fn slot(self) -> Option<usize> {
        (self.0 != Self::NONE.0).then_some(self.0 as usize)
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::NONE
    }
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum CallerState {
    #[default]
    Free,
    Waiting,
    Replied,
    /// The same, with a success that is [brief](Brief).
    Briefly,
}

/// What a reply says, if that is a few bytes: they are passed on in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brief {
    bytes: u64,
    /// How many there are; more than fit if there is no such reply.
    len: usize,
}

impl Brief {
    /// No reply, or a longer one.
    pub(crate) const NONE: Self = Self { bytes: 0, len: usize::MAX };

    /// Whether there is such a reply.
    #[inline(always)]
    pub(crate) fn is_there(self) -> bool {
        self.len <= Payload::BRIEF
    }

    /// The bytes and whatever follows, and how many there are.
    #[inline(always)]
    pub(crate) fn bytes(self) -> ([u8; Payload::BRIEF], usize) {
        (self.bytes.to_le_bytes(), self.len)
    }
}

impl Callers {
    /// The slot that is [occupied](Self::occupy) next.
    #[inline]
    pub(super) fn vacant(&self) -> u32 {
        if self.free.is_none() { self.slots.len() as u32 } else { self.free.0 }
    }

    /// Takes the slot that was vacant, and has the task of `cx` woken by the reply.
    #[inline]
    pub(super) fn occupy(&mut self, slot: u32, cx: Option<&Context<'_>>) {
        if slot as usize == self.slots.len() {
            self.add_slot();
        }
        if let Some(caller) = self.slots.get_mut(slot as usize) {
            self.free = std::mem::take(&mut caller.link);
            caller.state = CallerState::Waiting;
            // The one before has woken or removed whoever waited.
            if let Some(cx) = cx {
                caller.waker = Some(cx.waker().clone());
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn add_slot(&mut self) {
        self.slots.push(Caller::default());
    }

    /// Has the task of `cx` woken by the reply; `false` if it is there.
    pub(super) fn wait(&mut self, slot: u32, cx: &Context<'_>) -> bool {
        let waits = |caller: &&mut Caller| caller.state == CallerState::Waiting;
        let Some(caller) = self.slots.get_mut(slot as usize).filter(waits) else { return false };
        note(&mut caller.waker, cx);
        true
    }

    /// A short reply has come, somewhere in `input`.
    #[inline]
    pub(super) fn replied_short(
        &mut self,
        slot: u32,
        status: Status,
        input: &[u8],
        part: (usize, usize),
    ) -> Option<Waker> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.state == CallerState::Waiting)?;
        caller.status = status;
        caller.state = if status == Status::Ok && caller.payload.fill_brief(input, part) {
            CallerState::Briefly
        } else {
            caller.payload.fill(input, part);
            CallerState::Replied
        };
        caller.waker.take()
    }

    /// A reply has come. The reader of the stream that follows it, if one does, has a slot too.
    pub(super) fn replied(
        &mut self,
        slot: u32,
        status: Status,
        payload: Payload,
        reader: Option<usize>,
    ) -> Option<Waker> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.state == CallerState::Waiting)?;
        (caller.payload, caller.link) = (payload, reader.map_or(Link::NONE, |reader| Link(reader as u32)));
        (caller.state, caller.status) = (CallerState::Replied, status);
        caller.waker.take()
    }

    /// Gives the slot back if the reply is there, which is moved to these places; the reader of its stream comes with it.
    pub(super) fn take(&mut self, slot: u32, payload: &mut Payload, status: &mut Status) -> Option<Option<usize>> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.has_reply())?;
        caller.payload.move_to(payload);
        *status = caller.status;
        caller.state = CallerState::Free;
        let next = std::mem::replace(&mut self.free, Link(slot));
        Some(std::mem::replace(&mut caller.link, next).slot())
    }

    /// The same for a reply that no stream follows, and that takes no memory. `false` if there is none such.
    #[inline]
    pub(super) fn take_plain(&mut self, slot: u32, payload: &mut Payload, status: &mut Status) -> bool {
        let Some(caller) = self.slots.get_mut(slot as usize) else { return false };
        if !caller.has_reply() || !caller.link.is_none() || !caller.payload.copy_to(payload) {
            return false;
        }
        *status = caller.status;
        caller.state = CallerState::Free;
        caller.link = std::mem::replace(&mut self.free, Link(slot));
        true
    }

    /// The same for a success that is brief.
    #[inline(always)]
    pub(super) fn take_brief(&mut self, slot: u32) -> Brief {
        match self.slots.get_mut(slot as usize) {
            Some(caller) if caller.state == CallerState::Briefly => {
                caller.state = CallerState::Free;
                caller.link = std::mem::replace(&mut self.free, Link(slot));
                let (bytes, len) = caller.payload.brief();
                Brief { bytes, len }
            }
            _ => Brief::NONE,
        }
    }

    /// Gives the slot back. What it has is returned, to be dropped without the connection's lock.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Caller> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.state != CallerState::Free)?;
        let link = std::mem::replace(&mut self.free, Link(slot));
        Some(std::mem::replace(caller, Caller { link, ..Caller::default() }))
    }

    /// Takes the wakers of all.
    pub(super) fn take_wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.slots.iter_mut().filter_map(|caller| caller.waker.take())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.iter().filter(|caller| caller.state != CallerState::Free).count()
    }
}

impl Default for Callers {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Link::NONE }
    }
}

impl Caller {
    /// The slot of the reader of the stream that follows the reply, if any; none if there is no reply yet.
    pub(super) fn reader(&self) -> Option<Option<usize>> {
        self.has_reply().then(|| self.link.slot())
    }

    #[inline]
    fn has_reply(&self) -> bool {
        matches!(self.state, CallerState::Replied | CallerState::Briefly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of a slot that a reply of this status and length has come to, with so many bytes after it.
    fn through_a_slot(status: Status, len: usize, after: usize) -> (Brief, Option<(Vec<u8>, Status)>) {
        let input: Vec<u8> = (1..).take(3 + len + after).collect();
        let mut callers = Callers::default();
        let slot = callers.vacant();
        callers.occupy(slot, None);
        assert!(!callers.take_brief(slot).is_there(), "before the reply");
        assert!(callers.replied_short(slot, status, &input, (3, 3 + len)).is_none(), "nobody is to be woken");
        let brief = callers.take_brief(slot);
        let (mut payload, mut taken) = (Payload::default(), Status::Refused);
        let other = callers.take_plain(slot, &mut payload, &mut taken).then(|| (payload.to_vec(), taken));
        assert_eq!((callers.len(), callers.vacant()), (0, slot), "the slot is free again");
        (brief, other)
    }

    #[test]
    fn a_success_of_a_few_bytes_is_brief_and_nothing_else_is() {
        let bytes = |len: usize| (4..=100).take(len).collect::<Vec<u8>>();
        for (len, after) in (0..=Payload::BRIEF).flat_map(|len| [0, 1, 50].map(|after| (len, after))) {
            let (brief, other) = through_a_slot(Status::Ok, len, after);
            let (few, count) = brief.bytes();
            assert!(brief.is_there() && other.is_none());
            assert_eq!(few[..count], bytes(len));
        }
        for (status, len) in [(Status::Ok, 9), (Status::Ok, 38), (Status::App, 3), (Status::Panic, 0)] {
            let (brief, other) = through_a_slot(status, len, 50);
            assert!(!brief.is_there());
            assert_eq!(other, Some((bytes(len), status)));
        }
    }

    #[test]
    fn a_caller_takes_one_cache_line() {
        assert_eq!(size_of::<Caller>(), 64);
    }
}
