//! Reading frames.

use std::time::Duration;

use super::{
    CallHead, CloseKind, Frame, LENGTH_PREFIX, MAX_UPLOADS, Status, TraceContext,
    frame::{HAS_DEADLINE, HAS_TRACE, HAS_UPLOADS, ONE_WAY, kind},
    varint::take_varint,
};
use crate::id::{CallId, FunctionId};

/// A frame that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("malformed {frame} frame: {what}")]
pub(crate) struct Malformed {
    frame: &'static str,
    what: &'static str,
}

/// The length that the next frame's prefix announces, without the prefix. None as long as that is incomplete.
pub(crate) fn announced_len(input: &[u8]) -> Option<usize> {
    let prefix: [u8; LENGTH_PREFIX] = *input.first_chunk()?;
    usize::try_from(u32::from_le_bytes(prefix)).ok()
}

/// Reads a frame's header from all that follows its length, and says where the payload starts.
pub(crate) fn decode(body: &[u8]) -> Result<(Frame, usize), Malformed> {
    let mut reader = Reader { frame: name(u8::MAX), rest: body };
    let kind = reader.byte("it is empty")?;
    reader.frame = name(kind);
    let frame = match kind {
        kind::HEARTBEAT => reader.last(Frame::Heartbeat)?,
        kind::CALL => Frame::Call(reader.call_head()?),
        kind::REPLY => {
            let (call, status) = (reader.call()?, reader.status()?);
            Frame::Reply { call, status, download: reader.bit("the flags are no flags")? }
        }
        kind::CANCEL => {
            let call = reader.call()?;
            reader.last(Frame::Cancel { call })?
        }
        kind::ITEMS => Frame::Items { call: reader.call()?, stream: reader.stream()?, size: 0 },
        kind::ROW => Frame::Items { call: reader.call()?, stream: reader.stream()?, size: reader.size()? },
        kind::END => Frame::End { call: reader.call()?, stream: reader.stream()?, status: reader.status()? },
        kind::CREDIT => {
            let (call, stream, bytes) = (reader.call()?, reader.stream()?, reader.number("the bytes are missing")?);
            reader.last(Frame::Credit { call, stream, bytes })?
        }
        kind::STOP => {
            let (call, stream) = (reader.call()?, reader.stream()?);
            reader.last(Frame::Stop { call, stream })?
        }
        kind::DONE => {
            let call = reader.call()?;
            reader.last(Frame::Done { call })?
        }
        kind::SETTLED => {
            let (calls, bytes) = (reader.number("the calls are missing")?, reader.number("the bytes are missing")?);
            reader.last(Frame::Settled { calls, bytes })?
        }
        kind::OFFER => reader.last(Frame::Offer)?,
        kind::LANE => reader.last(Frame::Lane)?,
        kind::CLOSING => reader.last(Frame::Closing)?,
        kind::CLOSE => Frame::Close { kind: CloseKind::from_byte(reader.byte("the kind is missing")?) },
        _ => return reader.fail("its kind is unknown"),
    };
    Ok((frame, body.len() - reader.rest.len()))
}

/// What of a header has not been read yet.
struct Reader<'a> {
    frame: &'static str,
    rest: &'a [u8],
}

impl Reader<'_> {
    fn call_head(&mut self) -> Result<CallHead, Malformed> {
        let call = self.call()?;
        let flags = self.byte("the flags are missing")?;
        if flags & !(ONE_WAY | HAS_DEADLINE | HAS_TRACE | HAS_UPLOADS) != 0 {
            return self.fail("a flag is unknown");
        }
        let function = FunctionId::from_raw(u64::from_le_bytes(self.array("the function is missing")?));
        let mut head =
            CallHead { call, function, one_way: flags & ONE_WAY != 0, deadline: None, trace: None, uploads: 0 };
        if flags & HAS_DEADLINE != 0 {
            head.deadline = Some(Duration::from_micros(self.number("the deadline is missing")?));
        }
        if flags & HAS_TRACE != 0 {
            head.trace = Some(TraceContext::decode(&self.array("the trace context is incomplete")?));
        }
        if flags & HAS_UPLOADS != 0 {
            head.uploads = self.byte("the number of uploads is missing")?;
            if !(1..=MAX_UPLOADS).contains(&head.uploads) {
                return self.fail("the number of uploads is out of range");
            }
        }
        if head.one_way && (call.0 != 0 || head.uploads > 0) {
            return self.fail("a one-way message has neither a number nor uploads");
        }
        Ok(head)
    }

    fn call(&mut self) -> Result<CallId, Malformed> {
        match u32::try_from(self.number("the call is missing")?) {
            Ok(call) => Ok(CallId(call)),
            Err(_) => self.fail("the call is out of range"),
        }
    }

    fn stream(&mut self) -> Result<u8, Malformed> {
        self.byte("the stream is missing")
    }

    fn size(&mut self) -> Result<u32, Malformed> {
        match u32::try_from(self.number("the size is missing")?) {
            Ok(size @ 1..) => Ok(size),
            _ => self.fail("the size is out of range"),
        }
    }

    fn status(&mut self) -> Result<Status, Malformed> {
        match Status::from_byte(self.byte("the status is missing")?) {
            Some(status) => Ok(status),
            None => self.fail("the status is unknown"),
        }
    }

    fn bit(&mut self, what: &'static str) -> Result<bool, Malformed> {
        match self.byte(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.fail(what),
        }
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, Malformed> {
        let [byte] = self.array(what)?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        match self.rest.split_first_chunk() {
            Some((array, rest)) => {
                self.rest = rest;
                Ok(*array)
            }
            None => self.fail(what),
        }
    }

    fn number(&mut self, what: &'static str) -> Result<u64, Malformed> {
        match take_varint(&mut self.rest) {
            Some(number) => Ok(number),
            None => self.fail(what),
        }
    }

    /// The frame, if nothing follows its header.
    fn last(&self, frame: Frame) -> Result<Frame, Malformed> {
        if self.rest.is_empty() { Ok(frame) } else { self.fail("something follows its end") }
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Malformed> {
        Err(Malformed { frame: self.frame, what })
    }
}

fn name(kind: u8) -> &'static str {
    match kind {
        kind::HEARTBEAT => "Heartbeat",
        kind::CALL => "Call",
        kind::REPLY => "Reply",
        kind::CANCEL => "Cancel",
        kind::ITEMS => "Items",
        kind::END => "End",
        kind::CREDIT => "Credit",
        kind::STOP => "Stop",
        kind::DONE => "Done",
        kind::SETTLED => "Settled",
        kind::CLOSING => "Closing",
        kind::CLOSE => "Close",
        kind::ROW => "Row",
        kind::OFFER => "Offer",
        kind::LANE => "Lane",
        _ => "unknown",
    }
}
