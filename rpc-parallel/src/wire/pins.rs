//! The bytes of everything that travels.
//!
//! WARNING: a test that fails here says that this build no longer understands builds of the same protocol version. A
//! Hello and a verdict must never change. A frame may change only together with [`MAX_VERSION`](super::MAX_VERSION),
//! and the old form must still be sent to peers of the old version.

use std::time::Duration;

use super::*;
use crate::{
    id::{BuildId, CallId, FunctionId, WorkerId},
    settings::HeartbeatSettings,
};

/// Encodes a frame and its payload, compares the bytes, and reads them back.
fn pin(frame: Frame, payload: &[u8], expected: &str) {
    let mut bytes = Vec::new();
    frame.encode(payload.len(), &mut bytes);
    bytes.extend_from_slice(payload);
    assert_eq!(hex(&bytes), expected, "{frame:?}");
    let body = &bytes[LENGTH_PREFIX..];
    assert_eq!(announced_len(&bytes), Some(body.len()));
    assert_eq!(decode(body), Ok((frame, body.len() - payload.len())));
    // Every beginning of a header is an error.
    for end in 0..body.len() - payload.len() {
        assert!(decode(&body[..end]).is_err(), "{frame:?} of {end} bytes");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn calls_are_pinned() {
    let plain = CallHead {
        call: CallId(300),
        function: FunctionId::from_raw(0x0807_0605_0403_0201),
        one_way: false,
        deadline: None,
        trace: None,
        uploads: 0,
    };
    pin(Frame::Call(plain), b"args", "1000000001ac0200010203040506070861726773");
    pin(
        Frame::Call(CallHead { call: CallId(0), one_way: true, ..plain }),
        b"",
        "0b00000001000101020304050607 08".replace(' ', "").as_str(),
    );
    let full = CallHead {
        deadline: Some(Duration::from_millis(1)),
        trace: Some(TraceContext { trace_id: [0xaa; 16], span_id: [0xbb; 8], flags: 1 }),
        uploads: 2,
        ..plain
    };
    pin(
        Frame::Call(full),
        b"x",
        "2900000001ac020e0102030405060708e807aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb010278",
    );
}

#[test]
fn the_other_frames_are_pinned() {
    let call = CallId(5);
    pin(Frame::Heartbeat, b"", "0100000000");
    pin(Frame::Reply { call, status: Status::Ok, download: false }, b"hi", "06000000020500006869");
    pin(Frame::Reply { call, status: Status::Panic, download: true }, b"", "0400000002050201");
    pin(Frame::Cancel { call }, b"", "020000000305");
    pin(Frame::Items { call, stream: 1, size: 0 }, b"\x01a\x00", "06000000040501016100");
    pin(Frame::Items { call, stream: 1, size: 300 }, b"ab", "070000000c0501ac026162");
    pin(Frame::End { call, stream: 0, status: Status::App }, b"e", "050000000505000165");
    pin(Frame::Credit { call, stream: 0, bytes: 524_288 }, b"", "0600000006050080 8020".replace(' ', "").as_str());
    pin(Frame::Stop { call, stream: 2 }, b"", "03000000070502");
    pin(Frame::Done { call }, b"", "020000000805");
    pin(Frame::Settled { calls: 3, bytes: 128 }, b"", "0400000009038001");
    pin(Frame::Offer, b"", "010000000d");
    pin(Frame::Lane, b"", "010000000e");
    pin(Frame::Closing, b"", "010000000a");
    pin(Frame::Close { kind: CloseKind::ShuttingDown }, b"bye", "050000000b05627965");
}

#[test]
fn statuses_are_pinned() {
    for byte in 0..=8 {
        assert_eq!(Status::from_byte(byte).map(|status| status as u8), Some(byte));
    }
    assert_eq!(Status::from_byte(9), None);
    let payload = TooBig { size: 300, limit: 128 }.payload("the reply");
    assert_eq!(hex(&payload), "ac028001746865207265706c79");
    assert_eq!(TooBig::from_payload(&payload), Some((TooBig { size: 300, limit: 128 }, "the reply".to_owned())));
}

fn hello() -> Hello {
    Hello {
        min_version: 1,
        max_version: 2,
        build: BuildId::from_bytes([0xb1; 16]),
        worker: WorkerId::from_bytes([0xc2; 16]),
        nonce: [0xd3; 16],
        auth: 1,
        limits: Limits {
            max_message_size: 1 << 20,
            stream_window: 1 << 16,
            max_open_calls: 9,
            max_open_bytes: 1 << 24,
        },
        heartbeat: Some(HeartbeatSettings {
            send_every: Duration::from_millis(1),
            timeout: Duration::from_millis(3),
        }),
        label: "pid 1".to_owned(),
    }
}

#[test]
fn the_hello_is_pinned() {
    let bytes = hello().encode();
    let expected = [
        "89525043500d0a1a", // magic
        "7f00",             // the body's length
        "01000200",         // versions 1 to 2
        "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1",
        "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2",
        "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
        "01", // a shared key
        "0108000000100000000000",
        "0208000000010000000000",
        "0308000900000000000000",
        "0408000000000100000000",
        "050800e803000000000000",
        "060800b80b000000000000",
        "0705007069642031",
    ];
    assert_eq!(hex(&bytes), expected.concat());
    assert_eq!(Hello::read(&bytes), Ok(Some((hello(), bytes.len()))));
    for end in 0..bytes.len() {
        assert_eq!(Hello::read(&bytes[..end]), Ok(None));
    }
}

#[test]
fn a_hello_with_unknown_extensions_is_read() {
    let mut bytes = hello().encode();
    bytes.extend_from_slice(&[200, 2, 0, 1, 2]);
    let len = (bytes.len() - 10) as u16;
    bytes[8..10].copy_from_slice(&len.to_le_bytes());
    assert_eq!(Hello::read(&bytes), Ok(Some((hello(), bytes.len()))));
}

#[test]
fn what_is_no_hello_is_refused() {
    assert_eq!(Hello::read(b"HTTP/1.1 400\r\n"), Err(HelloError::OtherProtocol("HTTP/1.1 400\\r\\n".to_owned())));
    assert!(matches!(Hello::read(b"\x89RPCP\n"), Err(HelloError::OtherProtocol(_))));
    assert_eq!(Hello::read(b"\x89RPCP\r\n\x1a\xff\xff"), Err(HelloError::TooBig(65_545)));
    assert!(matches!(Hello::read(b"\x89RPCP\r\n\x1a\x01\x00\x00"), Err(HelloError::Malformed(_))));
}

#[test]
fn verdicts_are_pinned() {
    let verdict = Verdict::Refuse(Refusal::OtherBuild, "no".to_owned()).encode();
    assert_eq!(hex(&verdict), "010402006e6f");
    match Verdict::read(&verdict, true) {
        Ok(Some((Verdict::Refuse(Refusal::OtherBuild, text), 6))) => assert_eq!(text, "no"),
        other => panic!("{other:?}"),
    }
    assert_eq!(hex(&Verdict::Accept(None).encode()), "00");
    let proof = Key::new([1; 32]).prove(Role::Acceptor, [b"one", b"two"]);
    let verdict = Verdict::Accept(Some(proof)).encode();
    assert_eq!(hex(&verdict), "002e7bbe2abcfb095d31fc689c1600ef8a8c81ecd241d3080a3b674ee7dbc46305");
    for end in 0..verdict.len() {
        assert!(matches!(Verdict::read(&verdict[..end], true), Ok(None)));
    }
    assert!(Verdict::read(&[2], false).is_err());
    assert!(Verdict::read(&[1, 1, 255, 255], false).is_err());
}
