//! What was read and not yet understood.

use bytes::{Buf, Bytes, BytesMut};

use crate::wire::{Frame, HELLO_LIMIT, LENGTH_PREFIX, Malformed, Payload, announced_len, decode};

/// The bytes from the peer.
///
/// Its memory is bounded: by [`HELLO_LIMIT`] before the handshake is over, and after it by twice the largest frame
/// and [`STEP`]. A peer that announces a large frame does not get memory for it before it has sent half of that.
#[derive(Debug)]
pub(super) struct Input {
    buffer: BytesMut,
    /// Whether frames have begun.
    frames: bool,
}

/// How much is made ready for reading where nothing larger is expected: enough for thousands of small frames.
const CHUNK: usize = 64 << 10;

/// Room that is worth a read.
const LEAST: usize = 4 << 10;

/// How much of an announced frame gets memory at once.
const STEP: usize = 1 << 20;

/// A buffer that was made for a large frame is not kept for small ones from this size on.
const LARGE: usize = 256 << 10;

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
        Self { buffer: BytesMut::with_capacity(HELLO_LIMIT), frames: false }
    }

    /// The buffer, with room to read into.
    pub(super) fn spare(&mut self) -> &mut BytesMut {
        if self.frames {
            self.make_room();
        } else {
            self.make_room_for_handshake();
        }
        &mut self.buffer
    }

    /// What there is.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// How much memory the buffer has.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Drops what was understood.
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
    }

    /// The next frame and its payload, if it is complete.
    pub(super) fn next_frame(&mut self, limit: usize) -> Result<Option<(Frame, Payload)>, BadInput> {
        let Some(len) = announced_len(&self.buffer) else { return Ok(None) };
        if len > limit {
            return Err(BadInput::TooBig(len));
        }
        let end = LENGTH_PREFIX + len;
        let Some(body) = self.buffer.get(LENGTH_PREFIX..end) else { return Ok(None) };
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
        if len >= LARGE {
            // What follows would share the large frame's memory and keep it alive.
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
        Ok(Some((frame, payload.into())))
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
        let len = self.buffer.len();
        let spare = self.buffer.capacity() - len;
        let missing = announced_len(&self.buffer).map_or(0, |frame| (LENGTH_PREFIX + frame).saturating_sub(len));
        if missing > spare && spare < CHUNK {
            // Never more than was received already, or one step.
            self.buffer.reserve(missing.min(len.max(STEP)));
        } else if spare < LEAST || (len == 0 && spare < CHUNK / 2) {
            // Where all frames were let go this goes back to the start of the same memory.
            if !self.buffer.try_reclaim(CHUNK) && spare < LEAST {
                self.buffer.reserve(CHUNK);
            }
        }
    }
}
