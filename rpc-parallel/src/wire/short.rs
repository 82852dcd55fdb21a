//! Reading the frames that pipelined calls consist of.
//!
//! [`decode`](super::decode) reads them too. Here they are read in one go, if they are short and have nothing special.

use super::{LENGTH_PREFIX, Payload, Status, frame::kind};
use crate::id::{CallId, FunctionId};

/// A call without flags whose arguments are short.
#[derive(Debug)]
pub(crate) struct ShortCall {
    pub(crate) call: CallId,
    pub(crate) function: FunctionId,
    /// Where the arguments start, and where they and the frame end.
    pub(crate) payload: (usize, usize),
}

/// A short reply that no stream follows.
#[derive(Debug)]
pub(crate) struct ShortReply {
    pub(crate) call: CallId,
    pub(crate) status: Status,
    /// Where the payload starts, and where it and the frame end.
    pub(crate) payload: (usize, usize),
}

/// The short call at the front of the input. None if the next frame is anything else, or incomplete.
#[inline]
pub(crate) fn short_call(input: &[u8]) -> Option<ShortCall> {
    let Head { call, at, frame } = head(input, kind::CALL)?;
    let [flags, function @ ..] = *frame.get(at..)?.first_chunk::<9>()?;
    if flags != 0 {
        return None;
    }
    let function = FunctionId::from_raw(u64::from_le_bytes(function));
    Some(ShortCall { call, function, payload: short(at + 9, frame.len())? })
}

/// The short reply at the front of the input. None if the next frame is anything else, or incomplete.
#[inline]
pub(crate) fn short_reply(input: &[u8]) -> Option<ShortReply> {
    let Head { call, at, frame } = head(input, kind::REPLY)?;
    let [status, flags] = *frame.get(at..)?.first_chunk::<2>()?;
    if flags != 0 {
        return None;
    }
    Some(ShortReply { call, status: Status::from_byte(status)?, payload: short(at + 2, frame.len())? })
}

/// This part, if it is so short that it needs no memory of its own.
#[inline]
fn short(start: usize, end: usize) -> Option<(usize, usize)> {
    (end - start <= Payload::INLINE).then_some((start, end))
}

/// The beginning of a frame.
struct Head<'a> {
    call: CallId,
    /// Where the frame goes on.
    at: usize,
    /// All of it.
    frame: &'a [u8],
}

/// What a frame of this kind begins with.
#[inline]
fn head(input: &[u8], kind: u8) -> Option<Head<'_>> {
    // Neither of the kinds that are looked for has a frame that is shorter than this.
    let [l0, l1, l2, l3, header @ ..]: [u8; 8] = *input.first_chunk()?;
    if header[0] != kind {
        return None;
    }
    let (len, bytes) = (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes(header));
    let frame = input.get(..LENGTH_PREFIX.checked_add(usize::try_from(len).ok()?)?)?;
    // Numbers of at most three bytes, in their shortest form. Larger ones are as good, and read elsewhere.
    let (one, two) = (bytes >> 8 & 0x7f, bytes >> 9 & 0x3f80);
    let (call, at) = if bytes & 0x8000 == 0 {
        (one, LENGTH_PREFIX + 2)
    } else if bytes & 0x80_0000 == 0 {
        if two == 0 {
            return None;
        }
        (one | two, LENGTH_PREFIX + 3)
    } else {
        let three = bytes >> 10 & 0x1f_c000;
        if three == 0 || bytes >> 31 != 0 {
            return None;
        }
        (one | two | three, LENGTH_PREFIX + 4)
    };
    Some(Head { call: CallId(call), at, frame })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::{CallHead, Few, Frame, announced_len, decode};

    fn frame(frame: Frame, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.encode(payload.len(), &mut bytes);
        bytes.extend_from_slice(payload);
        bytes
    }

    fn call(number: u32) -> CallHead {
        let function = FunctionId::from_raw(u64::MAX / 3);
        CallHead { call: CallId(number), function, one_way: false, deadline: None, trace: None, uploads: 0 }
    }

    #[test]
    fn what_is_short_is_read_as_it_is_elsewhere() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, u32::MAX] {
            for payload in [&b""[..], b"x", &[7; 38], &[7; 39]] {
                for after in [&b""[..], &[9; 100]] {
                    let short = number < 0x20_0000 && payload.len() < 39;
                    let bytes = [&frame(Frame::Call(call(number)), payload), after].concat();
                    let end = announced_len(&bytes).unwrap() + LENGTH_PREFIX;
                    let (Frame::Call(head), at) = decode(&bytes[LENGTH_PREFIX..end]).unwrap() else { panic!() };
                    let elsewhere = (head.call, head.function, &bytes[LENGTH_PREFIX + at..end], end);
                    let here = short_call(&bytes).map(|short| {
                        let (start, end) = short.payload;
                        (short.call, short.function, &bytes[start..end], end)
                    });
                    assert_eq!(here, short.then_some(elsewhere));

                    let reply = Frame::Reply { call: CallId(number), status: Status::App, download: false };
                    let bytes = [&frame(reply, payload), after].concat();
                    let end = announced_len(&bytes).unwrap() + LENGTH_PREFIX;
                    let here = short_reply(&bytes).map(|short| {
                        let (start, end) = short.payload;
                        (short.call, short.status, &bytes[start..end], end)
                    });
                    assert_eq!(here, short.then_some((CallId(number), Status::App, payload, end)));
                }
            }
        }
    }

    #[test]
    fn a_short_call_is_written_as_any_is() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, u32::MAX] {
            let any: Vec<u8> = (100..=255).collect();
            for arguments in (0..20).chain([any.len()]).map(|len| &any[..len]) {
                let mut bytes = b"before".to_vec();
                let (id, function, few) = (CallId(number), call(number).function, Few::of(arguments));
                Frame::encode_short_call(id, function, few, arguments, &mut bytes);
                let mut written = Vec::new();
                Frame::Call(call(number)).encode_any(arguments.len(), &mut written);
                let expected = [&b"before"[..], &written, arguments].concat();
                assert_eq!(bytes, expected);
                if few.is_there() {
                    bytes.truncate(6);
                    Frame::encode_short_call(id, function, few, b"something else", &mut bytes);
                    assert_eq!(bytes, expected, "what is few counts");
                }
            }
        }
    }

    #[test]
    fn a_reply_of_a_few_bytes_is_written_as_any_is() {
        for call in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, u32::MAX].map(CallId) {
            let any: Vec<u8> = (100..=255).collect();
            for (payload, status) in
                (0..=Few::MOST).map(|len| &any[..len]).zip([Status::Ok, Status::App].into_iter().cycle())
            {
                let mut bytes = b"before".to_vec();
                Frame::encode_short_reply(call, status, Few::of(payload), &mut bytes);
                let mut written = Vec::new();
                Frame::Reply { call, status, download: false }.encode_any(payload.len(), &mut written);
                assert_eq!(bytes, [&b"before"[..], &written, payload].concat());
            }
        }
    }

    #[test]
    fn what_is_special_or_incomplete_is_left_alone() {
        let special = [
            Frame::Call(CallHead { one_way: true, ..call(0) }),
            Frame::Call(CallHead { uploads: 1, ..call(0) }),
            Frame::Call(CallHead { deadline: Some(Duration::from_secs(1)), ..call(0) }),
            Frame::Reply { call: CallId(0), status: Status::Ok, download: true },
            Frame::Cancel { call: CallId(0) },
        ];
        for special in special {
            let bytes = frame(special, b"abc");
            assert!(short_call(&bytes).is_none() && short_reply(&bytes).is_none(), "{special:?}");
        }
        for whole in [
            frame(Frame::Call(call(200)), b"abc"),
            frame(Frame::Reply { call: CallId(200), status: Status::Ok, download: false }, b"abc"),
        ] {
            assert!(short_call(&whole).is_some() != short_reply(&whole).is_some());
            for len in 0..whole.len() {
                assert!(short_call(&whole[..len]).is_none() && short_reply(&whole[..len]).is_none());
            }
            // A length that is too short for what follows, and one that is far too long.
            for length in [0, 1, 3, u32::MAX] {
                let mut bytes = whole.clone();
                bytes[..LENGTH_PREFIX].copy_from_slice(&length.to_le_bytes());
                assert!(short_call(&bytes).is_none() && short_reply(&bytes).is_none());
            }
        }
    }
}
