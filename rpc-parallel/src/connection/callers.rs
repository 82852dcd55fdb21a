//! Who waits for replies.

use std::task::{Context, Waker};

use crate::{
    connection::waiting::note,
    wire::{Few, Payload, Status},
};

/// The slots of those who wait for replies. A slot belongs to whoever waits, who gives it back: the session uses the id of
/// a call again as soon as the call is over on the wire, but whoever waits may look later.
#[derive(Debug)]
pub(super) struct Callers {
    slots: Vec<Caller>,
    /// By slot, the replies that are no success of a few bytes, or did not come in a run of short ones. There are as many as
    /// the last slot that had one needs.
    payloads: Vec<Payload>,
    /// The slot that is used next, or none: then a new one is.
    free: Link,
}

/// Somebody who waits for a reply. It takes half a cache line: of thousands all are out of the nearest cache whenever one is
/// looked at.
#[derive(Debug, Default)]
#[repr(align(32))]
struct Caller {
    waker: Option<Waker>,
    /// A reply of a few bytes, and how many.
    word: u64,
    len: u8,
    status: Status,
    state: CallerState,
    /// The slot of the stream's reader, if a stream follows. Of a free slot: the one that is used after it.
    link: Link,
}

/// What was left of somebody who waits no more.
#[derive(Debug)]
pub(super) struct Removed {
    _waker: Option<Waker>,
    _payload: Payload,
    reader: Option<Option<usize>>,
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
    /// The same, with a success that is [few](Few) bytes.
    Briefly,
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
        let Self { slots, free, .. } = self;
        let mut occupy = |caller: &mut Caller| {
            *free = std::mem::take(&mut caller.link);
            caller.state = CallerState::Waiting;
            // The one before has woken or removed whoever waited.
            if let Some(cx) = cx {
                caller.waker = Some(cx.waker().clone());
            }
        };
        match slots.get_mut(slot as usize) {
            Some(caller) => occupy(caller),
            None => add_slot(slots).map_or((), occupy),
        }
    }

    /// Has the task of `cx` woken by the reply; `false` if it is there.
    pub(super) fn wait(&mut self, slot: u32, cx: &Context<'_>) -> bool {
        let waits = |caller: &&mut Caller| caller.state == CallerState::Waiting;
        let Some(caller) = self.slots.get_mut(slot as usize).filter(waits) else { return false };
        note(&mut caller.waker, cx);
        true
    }

    /// A short reply has come: the first `len` bytes of `reply`.
    #[inline]
    pub(super) fn replied_short(&mut self, slot: u32, status: Status, reply: &[u8], len: usize) -> Option<Waker> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.state == CallerState::Waiting)?;
        let few = Few::front(reply, len);
        if status == Status::Ok && few.is_there() {
            (caller.word, caller.len, caller.state) = (few.word(), few.len() as u8, CallerState::Briefly);
        } else {
            (caller.status, caller.state) = (status, CallerState::Replied);
            payload_at(&mut self.payloads, slot).fill(reply, (0, len));
        }
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
        caller.link = reader.map_or(Link::NONE, |reader| Link(reader as u32));
        (caller.state, caller.status) = (CallerState::Replied, status);
        *payload_at(&mut self.payloads, slot) = payload;
        caller.waker.take()
    }

    /// Gives the slot back if the reply is there, which is moved to these places; the reader of its stream comes with it.
    pub(super) fn take(&mut self, slot: u32, payload: &mut Payload, status: &mut Status) -> Option<Option<usize>> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.has_reply())?;
        match caller.few() {
            Some(few) => (*payload, *status) = (few.into(), Status::Ok),
            None => {
                payload_at(&mut self.payloads, slot).move_to(payload);
                *status = caller.status;
            }
        }
        caller.state = CallerState::Free;
        let next = std::mem::replace(&mut self.free, Link(slot));
        Some(std::mem::replace(&mut caller.link, next).slot())
    }

    /// The same for a reply that no stream follows, and that takes no memory. `false` if there is none such.
    #[inline]
    pub(super) fn take_plain(&mut self, slot: u32, payload: &mut Payload, status: &mut Status) -> bool {
        let Some(caller) = self.slots.get_mut(slot as usize) else { return false };
        match caller.state {
            CallerState::Replied if caller.link.is_none() => {
                if !self.payloads.get(slot as usize).is_some_and(|reply| reply.copy_to(payload)) {
                    return false;
                }
                *status = caller.status;
            }
            CallerState::Briefly => {
                let few = Few::new(caller.word, caller.len.into());
                (*payload, *status) = (few.into(), Status::Ok);
            }
            _ => return false,
        }
        caller.state = CallerState::Free;
        caller.link = std::mem::replace(&mut self.free, Link(slot));
        true
    }

    /// The same for a success that is few bytes.
    #[inline(always)]
    pub(super) fn take_few(&mut self, slot: u32) -> Few {
        let caller = self.slots.get_mut(slot as usize);
        let Some((caller, few)) = caller.and_then(|caller| caller.few().map(|few| (caller, few))) else {
            return Few::NONE;
        };
        caller.state = CallerState::Free;
        caller.link = std::mem::replace(&mut self.free, Link(slot));
        few
    }

    /// Gives the slot back. What was in it is returned, to be dropped without the connection's lock.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Removed> {
        let caller = self.slots.get_mut(slot as usize).filter(|caller| caller.state != CallerState::Free)?;
        let reader = caller.has_reply().then(|| caller.link.slot());
        let link = std::mem::replace(&mut self.free, Link(slot));
        let Caller { waker, .. } = std::mem::replace(caller, Caller { link, ..Caller::default() });
        let payload = self.payloads.get_mut(slot as usize).map(std::mem::take).unwrap_or_default();
        Some(Removed { _waker: waker, _payload: payload, reader })
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

#[cold]
#[inline(never)]
fn add_slot(slots: &mut Vec<Caller>) -> Option<&mut Caller> {
    slots.push(Caller::default());
    slots.last_mut()
}

/// The place of a slot's reply.
#[inline]
fn payload_at(payloads: &mut Vec<Payload>, slot: u32) -> &mut Payload {
    let slot = slot as usize;
    if slot >= payloads.len() {
        add_payloads(payloads, slot);
    }
    &mut payloads[slot]
}

#[cold]
#[inline(never)]
fn add_payloads(payloads: &mut Vec<Payload>, slot: usize) {
    payloads.resize_with(slot + 1, Payload::default);
}

impl Default for Callers {
    fn default() -> Self {
        Self { slots: Vec::new(), payloads: Vec::new(), free: Link::NONE }
    }
}

impl Caller {
    #[inline]
    fn has_reply(&self) -> bool {
        matches!(self.state, CallerState::Replied | CallerState::Briefly)
    }

    /// The reply, if it is a success of a few bytes.
    #[inline(always)]
    fn few(&self) -> Option<Few> {
        (self.state == CallerState::Briefly).then(|| Few::new(self.word, self.len.into()))
    }
}

impl Removed {
    /// The slot of the reader of the stream that follows the reply, if any; none if there is no reply yet.
    pub(super) fn reader(&self) -> Option<Option<usize>> {
        self.reader
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of a slot that a reply of this status and length has come to, with so many bytes after it.
    fn through_a_slot(status: Status, len: usize, after: usize) -> (Few, Option<(Vec<u8>, Status)>) {
        let input: Vec<u8> = (1..).take(3 + len + after).collect();
        let mut callers = Callers::default();
        let slot = callers.vacant();
        callers.occupy(slot, None);
        assert!(!callers.take_few(slot).is_there(), "before the reply");
        assert!(callers.replied_short(slot, status, &input[3..], len).is_none(), "nobody is to be woken");
        let few = callers.take_few(slot);
        let (mut payload, mut taken) = (Payload::default(), Status::Refused);
        let other = callers.take_plain(slot, &mut payload, &mut taken).then(|| (payload.to_vec(), taken));
        assert_eq!((callers.len(), callers.vacant()), (0, slot), "the slot is free again");
        (few, other)
    }

    #[test]
    fn a_success_of_a_few_bytes_is_taken_as_that_and_nothing_else_is() {
        let bytes = |len: usize| (4..=100).take(len).collect::<Vec<u8>>();
        for (len, after) in (0..=Few::MOST).flat_map(|len| [0, 1, 50].map(|after| (len, after))) {
            let (few, other) = through_a_slot(Status::Ok, len, after);
            assert!(few.is_there() && other.is_none());
            assert_eq!(few.bytes()[..few.len()], bytes(len));
        }
        for (status, len) in [(Status::Ok, 9), (Status::Ok, 38), (Status::App, 3), (Status::Panic, 0)] {
            let (few, other) = through_a_slot(status, len, 50);
            assert!(!few.is_there());
            assert_eq!(other, Some((bytes(len), status)));
        }
    }

    #[test]
    fn a_caller_takes_half_a_cache_line() {
        assert_eq!(size_of::<Caller>(), 32);
    }
}
