//! What was read and not yet understood.

use bytes::{Buf, BufMut, Bytes, BytesMut, buf::Limit};

use super::pool::Pool;
use crate::{
    memory,
    wire::{Frame, HELLO_LIMIT, LENGTH_PREFIX, MAX_HEADER, Malformed, Payload, announced_len, decode},
};

/// The bytes from the peer.
///
/// Its memory is bounded: by [`HELLO_LIMIT`] before the handshake is over, and after it by twice the largest frame
/// and [`STEP`]. A peer that announces a large frame does not get memory for it before it has sent half of that.
#[derive(Debug)]
pub(super) struct Input {
    /// What belongs to no large frame.
    buffer: BytesMut,
    /// The large frame that is being read. It comes before what is in the buffer, which is nothing until it is complete.
    large: Option<Large>,
    /// Whether the last frame was large. Where there was one more follow, and what is read of them to the buffer has to be
    /// copied.
    bulky: bool,
    /// Whether frames have begun.
    frames: bool,
}

/// A large frame, whose payload is read to where it stays.
#[derive(Debug)]
struct Large {
    frame: Frame,
    size: usize,
    payload: BytesMut,
}

/// How much is made ready for reading where nothing larger is expected: enough for thousands of small frames.
const CHUNK: usize = 64 << 10;

/// How much is read where a large frame is likely to come: its header, and little of its payload.
const GLANCE: usize = 1 << 10;

/// Room that is worth a read.
const LEAST: usize = CHUNK / 2;

/// From this length on a frame's payload gets a buffer of its own.
const LARGE: usize = CHUNK;

/// How much of an announced frame gets memory at once. A little more than what people choose: 1 MiB and some other
/// arguments should not need two steps.
const STEP: usize = (1 << 20) + (4 << 10);

/// Items shorter than this are copied. What a reader holds would otherwise keep a whole chunk of the buffer alive,
/// and a hostile peer could make that many times the stream's window.
const COPIED: usize = CHUNK / 16;

/// Why the input cannot be understood.
#[derive(Debug)]
pub(super) enum BadInput {
    /// A frame of this size is above the limit.
    TooBig(usize),
    /// A frame cannot be read.
    Malformed(Malformed),
}

impl Input {
    /// No input yet.
    pub(super) fn new() -> Self {
        Self { buffer: BytesMut::with_capacity(HELLO_LIMIT), large: None, bulky: false, frames: false }
    }

    /// Where to read to: there is always some room.
    pub(super) fn spare(&mut self) -> Limit<&mut BytesMut> {
        let reading = self.large.as_ref().is_some_and(|large| !large.is_complete());
        if !self.frames {
            self.make_room_for_handshake();
        } else if !reading {
            self.make_room();
        }
        match &mut self.large {
            Some(large) if reading => large.spare(),
            _ => {
                let room = self.buffer.capacity() - self.buffer.len();
                let room = if self.bulky && self.buffer.is_empty() { room.min(GLANCE) } else { room };
                (&mut self.buffer).limit(room)
            }
        }
    }

    /// What there is.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Exchanges what there is for something else.
    #[inline]
    pub(super) fn exchange(&mut self, bytes: &mut BytesMut) {
        std::mem::swap(&mut self.buffer, bytes);
    }

    /// Whether the next frame is all there, or longer than it may be.
    pub(super) fn has_frame(&self, limit: usize) -> bool {
        announced_len(&self.buffer).is_some_and(|len| len > limit || self.buffer.len() - LENGTH_PREFIX >= len)
    }

    /// How much memory the buffers have.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity() + self.large.as_ref().map_or(0, |large| large.payload.capacity())
    }

    /// Drops what was understood.
    #[inline]
    pub(super) fn advance(&mut self, bytes: usize) {
        self.buffer.advance(bytes.min(self.buffer.len()));
    }

    /// The handshake is over: frames follow.
    pub(super) fn begin_frames(&mut self) {
        self.frames = true;
    }

    /// Drops everything: the connection is closed, and no more of it is read.
    pub(super) fn clear(&mut self) {
        self.buffer = BytesMut::new();
        self.large = None;
    }

    /// The next frame and its payload, if it is complete.
    pub(super) fn next_frame(&mut self, limit: usize, pool: &mut Pool) -> Result<Option<(Frame, Payload)>, BadInput> {
        if let Some(large) = self.large.take_if(|large| large.is_complete()) {
            return Ok(Some((large.frame, large.payload.freeze().into())));
        }
        // While a large frame is being read there is nothing else.
        let Some(len) = announced_len(&self.buffer) else { return Ok(None) };
        if len > limit {
            return Err(BadInput::TooBig(len));
        }
        let end = LENGTH_PREFIX + len;
        let Some(body) = self.buffer.get(LENGTH_PREFIX..end) else {
            self.begin_large(len, pool)?;
            return Ok(None);
        };
        self.bulky = false;
        let (frame, header) = decode(body).map_err(BadInput::Malformed)?;
        if let Some(payload) = body.get(header..).and_then(Payload::inline) {
            self.buffer.advance(end);
            return Ok(Some((frame, payload)));
        }
        self.buffer.advance(LENGTH_PREFIX + header);
        let size = len - header;
        let payload = match (frame, self.buffer.get(..size)) {
            (Frame::Items { .. } | Frame::End { .. }, Some(payload)) if size < COPIED => {
                let payload = Bytes::copy_from_slice(payload);
                self.buffer.advance(size);
                payload
            }
            _ => self.buffer.split_to(size).freeze(),
        };
        Ok(Some((frame, payload.into())))
    }

    /// Gives the payload of an incomplete frame a buffer of its own, if it is large and its header is there.
    fn begin_large(&mut self, len: usize, pool: &mut Pool) -> Result<(), BadInput> {
        if len < LARGE || self.buffer.len() < LENGTH_PREFIX + MAX_HEADER {
            return Ok(());
        }
        let (frame, header) = decode(&self.buffer[LENGTH_PREFIX..]).map_err(BadInput::Malformed)?;
        self.buffer.advance(LENGTH_PREFIX + header);
        let size = len - header;
        let fresh = || BytesMut::with_capacity(size.min(STEP));
        let mut payload = pool.take(size).unwrap_or_else(fresh);
        payload.extend_from_slice(&self.buffer);
        self.buffer.clear();
        self.bulky = true;
        self.large = Some(Large { frame, size, payload });
        Ok(())
    }

    fn make_room_for_handshake(&mut self) {
        let room = HELLO_LIMIT.saturating_sub(self.buffer.len());
        if self.buffer.capacity() - self.buffer.len() < room {
            let mut fresh = BytesMut::with_capacity(HELLO_LIMIT);
            fresh.extend_from_slice(&self.buffer);
            self.buffer = fresh;
        }
    }

    fn make_room(&mut self) {
        let spare = self.buffer.capacity() - self.buffer.len();
        // Where all frames were let go this goes back to the start of the same memory.
        if spare < LEAST && !self.buffer.try_reclaim(CHUNK) {
            self.buffer.reserve(CHUNK);
        }
    }
}

impl Large {
    fn is_complete(&self) -> bool {
        self.payload.len() >= self.size
    }

    /// Room for the rest of the payload, and for nothing behind it.
    fn spare(&mut self) -> Limit<&mut BytesMut> {
        let len = self.payload.len();
        let missing = self.size - len;
        if self.payload.capacity() == len {
            // Never more than was received already, or one step.
            let more = missing.min(len.max(STEP));
            if len < memory::LARGE && len + more >= memory::LARGE {
                // What is copied here is little beside the faults that larger pages save; it then grows in place.
                let mut fresh = BytesMut::with_capacity(len + more);
                memory::will_be_filled(fresh.spare_capacity_mut());
                fresh.extend_from_slice(&self.payload);
                self.payload = fresh;
            } else {
                self.payload.reserve(more);
            }
        }
        let room = missing.min(self.payload.capacity() - len);
        (&mut self.payload).limit(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::CallId, wire::Status};

    fn reply(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Frame::Reply { call: CallId(1), status: Status::Ok, download: false }.encode(payload.len(), &mut bytes);
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Reads a frame as a driver does, and says how much of it went to the buffer that it was copied from.
    fn read(input: &mut Input, mut bytes: &[u8]) -> usize {
        let (mut pool, mut first) = (Pool::default(), None);
        loop {
            let mut spare = input.spare();
            let room = spare.remaining_mut();
            first.get_or_insert(room);
            let len = bytes.len().min(room);
            spare.put_slice(&bytes[..len]);
            bytes = &bytes[len..];
            if input.next_frame(1 << 30, &mut pool).expect("the frames are right").is_some() {
                return first.unwrap_or_default();
            }
        }
    }

    #[test]
    fn of_the_next_large_frame_little_is_copied() {
        let (large, small) = (reply(&[7; 10 * CHUNK]), reply(&[7; 2000]));
        let mut input = Input::new();
        input.begin_frames();
        assert!(read(&mut input, &large) > GLANCE);
        assert_eq!(read(&mut input, &large), GLANCE);
        assert_eq!(read(&mut input, &small), GLANCE);
        assert!(read(&mut input, &small) > GLANCE);
    }
}
