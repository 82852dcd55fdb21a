//! The frames, without their payloads.

use std::time::Duration;

use super::{CloseKind, Few, Status, TraceContext, varint::put_varint};
use crate::{
    id::{CallId, FunctionId},
    room::Room,
};

/// A frame's header: all of it but the length in front and the payload behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Frame {
    /// A sign of life.
    Heartbeat,
    /// Starts a call. Payload: the arguments.
    Call(CallHead),
    /// Answers a call, exactly once. Payload: as the status says.
    Reply {
        /// The call.
        call: CallId,
        /// How it went.
        status: Status,
        /// Whether stream 0 of the call follows.
        download: bool,
    },
    /// The caller lost interest.
    Cancel {
        /// The call.
        call: CallId,
    },
    /// Items of a stream. Payload: the items.
    Items {
        /// The call that the stream belongs to.
        call: CallId,
        /// Which of its streams: 0 towards the caller, the others towards the callee.
        stream: u8,
        /// How long each of them is, or 0 if each stands behind its length.
        size: u32,
    },
    /// The last frame of a stream. Payload: as the status says.
    End {
        /// The call that the stream belongs to.
        call: CallId,
        /// Which of its streams.
        stream: u8,
        /// How it went.
        status: Status,
    },
    /// Allows a stream's sender to send more.
    Credit {
        /// The call that the stream belongs to.
        call: CallId,
        /// Which of its streams.
        stream: u8,
        /// How many bytes more.
        bytes: u64,
    },
    /// Asks a stream's sender to end it.
    Stop {
        /// The call that the stream belongs to.
        call: CallId,
        /// Which of its streams.
        stream: u8,
    },
    /// The callee has seen the end of all uploads and sent all it had to send.
    Done {
        /// The call.
        call: CallId,
    },
    /// The receiver of one-way messages is done with some.
    Settled {
        /// How many.
        calls: u64,
        /// How many bytes of arguments they had.
        bytes: u64,
    },
    /// The sender has made memory for both sides, whose descriptors come with this frame or before it.
    Offer,
    /// What follows travels through the memory that was offered.
    Lane,
    /// The sender will close once its open calls are over; please no new ones.
    Closing,
    /// The last frame of a connection. Payload: the reason as text.
    Close {
        /// The reason's kind.
        kind: CloseKind,
    },
}

/// The header of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CallHead {
    /// The call's number; 0 if it is one-way.
    pub(crate) call: CallId,
    /// What is called.
    pub(crate) function: FunctionId,
    /// Whether nothing is ever answered.
    pub(crate) one_way: bool,
    /// How long the handler may take, from when the call is received.
    pub(crate) deadline: Option<Duration>,
    /// The trace that the call belongs to.
    pub(crate) trace: Option<TraceContext>,
    /// How many streams the caller sends.
    pub(crate) uploads: u8,
}

/// Flag of a call: nothing is ever answered.
pub(super) const ONE_WAY: u8 = 1;
/// Flag of a call: a deadline follows.
pub(super) const HAS_DEADLINE: u8 = 2;
/// Flag of a call: a trace context follows.
pub(super) const HAS_TRACE: u8 = 4;
/// Flag of a call: the number of uploads follows.
pub(super) const HAS_UPLOADS: u8 = 8;

impl Frame {
    /// Appends the frame's length and header; the caller sees to it that a payload of just this length follows.
    #[inline(always)]
    pub(crate) fn encode(&self, payload: usize, out: &mut Vec<u8>) {
        match *self {
            // The two that pipelined calls consist of are put together in registers.
            Self::Reply { call, status, download } => {
                Short::new(kind::REPLY, call).put(status as u8).put(u8::from(download)).append(payload, out);
            }
            Self::Call(CallHead { call, function, one_way, deadline: None, trace: None, uploads: 0 }) => {
                let flags = if one_way { ONE_WAY } else { 0 };
                let function = function.raw().to_le_bytes();
                Short::new(kind::CALL, call).put(flags).append(function.len() + payload, out);
                out.extend_from_slice(&function);
            }
            _ => self.encode_any(payload, out),
        }
    }

    /// Appends a call that has nothing special: `arguments` are `few`, if that is there.
    #[inline(always)]
    pub(crate) fn encode_short_call(
        call: CallId,
        function: FunctionId,
        few: Few,
        arguments: &[u8],
        out: &mut Vec<u8>,
    ) {
        let header = Short::new(kind::CALL, call).put(0);
        if few.is_there() {
            header.append_call(function.raw(), few, out);
        } else {
            header.append_long_call(function.raw(), arguments, out);
        }
    }

    /// Appends a reply of a few bytes, which must be there, and which no stream follows.
    #[inline(always)]
    pub(crate) fn encode_short_reply(call: CallId, status: Status, few: Few, out: &mut Vec<u8>) {
        Short::new(kind::REPLY, call).put(status as u8).put(0).append_few(few, out);
    }

    pub(super) fn encode_any(&self, payload: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; super::LENGTH_PREFIX]);
        self.encode_header(out);
        let len = out.len() - start - super::LENGTH_PREFIX + payload;
        // Messages are limited to 2 GiB, see `Settings::bounded`.
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        if let Some(prefix) = out.get_mut(start..start + super::LENGTH_PREFIX) {
            prefix.copy_from_slice(&len.to_le_bytes());
        }
    }

    fn encode_header(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Heartbeat => out.push(kind::HEARTBEAT),
            Self::Call(head) => head.encode(out),
            Self::Reply { call, status, download } => {
                put_call(out, kind::REPLY, call);
                out.extend_from_slice(&[status as u8, u8::from(download)]);
            }
            Self::Cancel { call } => put_call(out, kind::CANCEL, call),
            Self::Items { call, stream, size: 0 } => put_stream(out, kind::ITEMS, call, stream),
            Self::Items { call, stream, size } => {
                put_stream(out, kind::ROW, call, stream);
                put_varint(out, u64::from(size));
            }
            Self::End { call, stream, status } => {
                put_stream(out, kind::END, call, stream);
                out.push(status as u8);
            }
            Self::Credit { call, stream, bytes } => {
                put_stream(out, kind::CREDIT, call, stream);
                put_varint(out, bytes);
            }
            Self::Stop { call, stream } => put_stream(out, kind::STOP, call, stream),
            Self::Done { call } => put_call(out, kind::DONE, call),
            Self::Settled { calls, bytes } => {
                out.push(kind::SETTLED);
                put_varint(out, calls);
                put_varint(out, bytes);
            }
            Self::Offer => out.push(kind::OFFER),
            Self::Lane => out.push(kind::LANE),
            Self::Closing => out.push(kind::CLOSING),
            Self::Close { kind } => out.extend_from_slice(&[kind::CLOSE, kind.to_byte()]),
        }
    }
}

impl CallHead {
    fn encode(&self, out: &mut Vec<u8>) {
        put_call(out, kind::CALL, self.call);
        let mut flags = 0;
        for (flag, set) in [
            (ONE_WAY, self.one_way),
            (HAS_DEADLINE, self.deadline.is_some()),
            (HAS_TRACE, self.trace.is_some()),
            (HAS_UPLOADS, self.uploads > 0),
        ] {
            if set {
                flags |= flag;
            }
        }
        out.push(flags);
        out.extend_from_slice(&self.function.raw().to_le_bytes());
        if let Some(deadline) = self.deadline {
            put_varint(out, u64::try_from(deadline.as_micros()).unwrap_or(u64::MAX));
        }
        if let Some(trace) = self.trace {
            trace.encode(out);
        }
        if self.uploads > 0 {
            out.push(self.uploads);
        }
    }
}

/// A short header, without the length in front, while it is put together. It is a number rather than bytes: what is stored
/// in parts and then read as a whole makes the CPU wait.
struct Short {
    bytes: u64,
    bits: u32,
}

impl Short {
    #[inline(always)]
    fn new(kind: u8, call: CallId) -> Self {
        let (kind, number) = (u64::from(kind), u64::from(call.0));
        if number < 0x80 {
            return Self { bytes: kind | number << 8, bits: 16 };
        }
        if number < 0x4000 {
            return Self { bytes: kind | (number & 0x7f | 0x80) << 8 | number >> 7 << 16, bits: 24 };
        }
        Self::new_long(kind, number)
    }

    #[cold]
    #[inline(never)]
    fn new_long(kind: u64, mut number: u64) -> Self {
        let mut this = Self { bytes: kind, bits: 8 };
        while number >= 0x80 {
            this = this.put(number as u8 | 0x80);
            number >>= 7;
        }
        this.put(number as u8)
    }

    /// Adds a byte. There are never more than eight: a kind, a number of at most five, and two more.
    #[inline(always)]
    fn put(self, byte: u8) -> Self {
        Self { bytes: self.bytes | u64::from(byte) << self.bits, bits: self.bits + 8 }
    }

    /// Appends the length and the header of a frame in which so many bytes follow.
    #[inline(always)]
    fn append(self, after: usize, out: &mut Vec<u8>) {
        let header = (self.bits / 8) as usize;
        let len = u32::try_from(header + after).unwrap_or(u32::MAX);
        // A copy of constant length costs less than one of just what is needed.
        let end = out.len() + super::LENGTH_PREFIX + header;
        out.extend_from_slice(&(u128::from(len) | u128::from(self.bytes) << 32).to_le_bytes());
        out.truncate(end);
    }

    /// Appends a call of this function.
    #[inline(always)]
    fn append_call(self, function: u64, few: Few, out: &mut Vec<u8>) {
        let mut room = self.begin(size_of::<u64>() + few.len(), out);
        room.append_word(function.to_le_bytes());
        room.append_part(few.bytes(), few.len());
        // It has no limit.
        let _ = room.add();
    }

    /// Appends a frame that goes on with these bytes.
    #[inline(always)]
    fn append_few(self, few: Few, out: &mut Vec<u8>) {
        let mut room = self.begin(few.len(), out);
        room.append_part(few.bytes(), few.len());
        let _ = room.add();
    }

    /// Appends the length and the header of a frame in which so many bytes follow.
    #[inline(always)]
    fn begin(self, after: usize, out: &mut Vec<u8>) -> Room<'_> {
        let header = (self.bits / 8) as usize;
        let mut room = Room::new(out, usize::MAX);
        let word = (header + after) as u128 | u128::from(self.bytes) << u32::BITS;
        room.append_part(word.to_le_bytes(), super::LENGTH_PREFIX + header);
        room
    }

    /// Appends a call of this function with any arguments.
    #[inline(never)]
    fn append_long_call(self, function: u64, arguments: &[u8], out: &mut Vec<u8>) {
        self.append(size_of::<u64>() + arguments.len(), out);
        out.extend_from_slice(&function.to_le_bytes());
        out.extend_from_slice(arguments);
    }
}

/// The first byte of a frame's header.
pub(super) mod kind {
    pub(crate) const HEARTBEAT: u8 = 0;
    pub(crate) const CALL: u8 = 1;
    pub(crate) const REPLY: u8 = 2;
    pub(crate) const CANCEL: u8 = 3;
    pub(crate) const ITEMS: u8 = 4;
    pub(crate) const END: u8 = 5;
    pub(crate) const CREDIT: u8 = 6;
    pub(crate) const STOP: u8 = 7;
    pub(crate) const DONE: u8 = 8;
    pub(crate) const SETTLED: u8 = 9;
    pub(crate) const CLOSING: u8 = 10;
    pub(crate) const CLOSE: u8 = 11;
    pub(crate) const ROW: u8 = 12;
    pub(crate) const OFFER: u8 = 13;
    pub(crate) const LANE: u8 = 14;
}

fn put_call(out: &mut Vec<u8>, kind: u8, call: CallId) {
    out.push(kind);
    put_varint(out, u64::from(call.0));
}

fn put_stream(out: &mut Vec<u8>, kind: u8, call: CallId, stream: u8) {
    put_call(out, kind, call);
    out.push(stream);
}
