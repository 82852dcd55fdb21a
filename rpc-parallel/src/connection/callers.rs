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
        caller.payload.fill(input, part);
        (caller.state, caller.status) = (CallerState::Replied, status);
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
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.state == CallerState::Replied)?;
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
        if caller.state != CallerState::Replied || !caller.link.is_none() || !caller.payload.copy_to(payload) {
            return false;
        }
        *status = caller.status;
        caller.state = CallerState::Free;
        caller.link = std::mem::replace(&mut self.free, Link(slot));
        true
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
        (self.state == CallerState::Replied).then(|| self.link.slot())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_takes_one_cache_line() {
        assert_eq!(size_of::<Caller>(), 64);
    }
}
