//! Which slot belongs to which stream.

use crate::{
    id::CallId,
    proto::{CallSide, StreamKey},
};

/// The slots of streams, by call: what a call costs does not depend on how many streams other calls have.
#[derive(Debug, Default)]
pub(super) struct StreamSlots {
    local: Vec<Streams>,
    remote: Vec<Streams>,
}

/// The streams of one call: few, and mostly one.
type Streams = Vec<(u8, usize)>;

impl StreamSlots {
    /// The slot of a stream.
    pub(super) fn get(&self, key: StreamKey) -> Option<usize> {
        let streams = self.side(key.side).get(key.call.0 as usize)?;
        streams.iter().find(|(stream, _)| *stream == key.stream).map(|(_, slot)| *slot)
    }

    /// Notes the slot of a stream, in place of the one that it has had.
    pub(super) fn insert(&mut self, key: StreamKey, slot: usize) {
        let (calls, index) = (self.side_mut(key.side), key.call.0 as usize);
        if index >= calls.len() {
            calls.resize_with(index + 1, Streams::default);
        }
        match calls[index].iter_mut().find(|(stream, _)| *stream == key.stream) {
            Some((_, old)) => *old = slot,
            None => calls[index].push((key.stream, slot)),
        }
    }

    /// Forgets a stream, and returns its slot.
    pub(super) fn remove(&mut self, key: StreamKey) -> Option<usize> {
        let streams = self.side_mut(key.side).get_mut(key.call.0 as usize)?;
        let index = streams.iter().position(|(stream, _)| *stream == key.stream)?;
        Some(streams.swap_remove(index).1)
    }

    /// Forgets all streams of a call, and returns their slots.
    pub(super) fn remove_call(&mut self, side: CallSide, call: CallId) -> impl Iterator<Item = usize> {
        let streams = self.side_mut(side).get_mut(call.0 as usize);
        streams.into_iter().flat_map(|streams| streams.drain(..)).map(|(_, slot)| slot)
    }

    fn side(&self, side: CallSide) -> &[Streams] {
        match side {
            CallSide::Local => &self.local,
            CallSide::Remote => &self.remote,
        }
    }

    fn side_mut(&mut self, side: CallSide) -> &mut Vec<Streams> {
        match side {
            CallSide::Local => &mut self.local,
            CallSide::Remote => &mut self.remote,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(side: CallSide, call: u32, stream: u8) -> StreamKey {
        StreamKey { side, call: CallId(call), stream }
    }

    #[test]
    fn calls_and_sides_have_streams_of_their_own() {
        let mut slots = StreamSlots::default();
        slots.insert(key(CallSide::Local, 3, 0), 10);
        slots.insert(key(CallSide::Local, 3, 1), 11);
        slots.insert(key(CallSide::Remote, 3, 0), 12);
        slots.insert(key(CallSide::Local, 3, 0), 13);
        assert_eq!(slots.get(key(CallSide::Local, 3, 0)), Some(13));
        assert_eq!(slots.get(key(CallSide::Local, 9, 0)), None);
        assert_eq!(slots.remove_call(CallSide::Local, CallId(3)).collect::<Vec<_>>(), [13, 11]);
        assert_eq!(slots.remove_call(CallSide::Local, CallId(9)).count(), 0);
        assert_eq!(slots.get(key(CallSide::Local, 3, 1)), None);
        assert_eq!(slots.remove(key(CallSide::Remote, 3, 0)), Some(12));
        assert_eq!(slots.remove(key(CallSide::Remote, 3, 0)), None);
    }
}
