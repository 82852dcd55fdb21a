//! A peer that wants our memory.

use super::{
    super::*,
    mock::{Mock, hello},
    pair::{batch, call, config},
};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CallHead, CloseKind, Frame, HELLO_LIMIT, LENGTH_PREFIX, Status},
};

fn head(call: u32) -> CallHead {
    CallHead {
        call: CallId(call),
        function: FunctionId::from_raw(1),
        one_way: false,
        deadline: None,
        trace: None,
        uploads: 0,
    }
}

#[test]
fn before_the_handshake_four_kibibytes_are_all_there_is() {
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    assert_eq!(mock.end.session.input_buffer().get_ref().capacity(), HELLO_LIMIT);
    // A Hello that just fits, in pieces. `End` checks the capacity after each of them.
    let mut hello = hello().encode();
    hello.extend_from_slice(&[250]);
    let filler = HELLO_LIMIT - hello.len() - 2;
    hello.extend_from_slice(&(filler as u16).to_le_bytes());
    hello.resize(HELLO_LIMIT, 0);
    hello[8..10].copy_from_slice(&((HELLO_LIMIT - 10) as u16).to_le_bytes());
    for piece in hello.chunks(100) {
        mock.send(piece);
    }
    mock.send(&[0]);
    assert!(mock.end.session.is_established());
}

#[test]
fn an_announced_frame_gets_memory_as_it_arrives() {
    let size = 64 << 20;
    let mut mock = Mock::connected(Settings::default());
    let mut frame = Vec::new();
    Frame::Call(head(0)).encode(size, &mut frame);
    mock.send(&frame);
    assert!(mock.end.session.input_buffer().get_ref().capacity() <= 2 << 20);
    let piece = vec![0; 100_000];
    let mut sent = 0;
    while sent < size {
        let now = piece.len().min(size - sent);
        mock.send(&piece[..now]);
        sent += now;
        let capacity = mock.end.session.input.capacity();
        assert!(capacity <= 2 * sent + (2 << 20), "{capacity} bytes for {sent}");
    }
    assert!(matches!(mock.end.take_one(), Event::Called { payload, .. } if payload.len() == size));
    assert!(
        mock.end.session.input_buffer().get_ref().capacity() < 1 << 20,
        "the large buffer belongs to the payload"
    );
}

#[test]
fn what_follows_a_large_frame_is_read_with_it() {
    let mut mock = Mock::connected(Settings::default());
    let size = (1 << 20) + 5;
    let mut bytes = Vec::new();
    for (call, size) in [(0, size), (1, 10), (2, size), (3, 70_000), (4, 60_000)] {
        Frame::Call(head(call)).encode(size, &mut bytes);
        bytes.resize(bytes.len() + size, call as u8);
    }
    for piece in [usize::MAX, 1 << 20, 65_536, 4097] {
        for piece in bytes.chunks(piece) {
            mock.send(piece);
        }
        for (expected, event) in (0..).zip(mock.end.take()) {
            let Event::Called { call, payload, .. } = event else { panic!("{event:?}") };
            assert_eq!(call, CallId(expected));
            assert!(payload.iter().all(|byte| *byte == expected as u8));
        }
        for call in 0..5 {
            mock.end.session.reply(CallId(call), Status::Ok, Vec::new(), false).expect("it is small enough");
        }
        mock.end.write_all();
    }
}

#[test]
fn a_large_frame_with_a_malformed_header_closes_before_it_is_there() {
    let mut mock = Mock::connected(Settings::default());
    mock.send(&(1_u32 << 20).to_le_bytes());
    mock.send(&[99; 100]);
    assert_eq!(mock.closed().text(), "protocol violation: malformed unknown frame: its kind is unknown");
}

#[test]
fn the_memory_of_large_messages_is_used_again_and_let_go() {
    let mut mock = Mock::connected(Settings::default());
    let size = 3 << 20;
    let mut places = Vec::new();
    for _ in 0..10 {
        mock.frame(Frame::Call(head(0)), &vec![0; size]);
        let Event::Called { payload, .. } = mock.end.take_one() else { panic!("it is a call") };
        places.push(payload.as_ptr());
        mock.end.session.reply(CallId(0), Status::Ok, payload, false).expect("it is small enough");
        mock.end.write_all();
        assert!((size..=2 * size).contains(&mock.end.session.pool.bytes()));
    }
    places.dedup();
    assert_eq!(places.len(), 1);
    // Half a frame holds a buffer of the pool, and no more than that.
    let mut half = Vec::new();
    Frame::Call(head(0)).encode(size, &mut half);
    half.resize(size / 2, 0);
    mock.send(&half);
    assert_eq!(mock.end.session.pool.bytes(), 0);
    mock.send(&vec![0; size]);
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Call(head(0)), &vec![0; size]);
    let Event::Called { payload, .. } = mock.end.take_one() else { panic!("it is a call") };
    mock.end.session.reply(CallId(0), Status::Ok, payload, false).expect("it is small enough");
    mock.end.write_all();
    assert!(mock.end.session.pool.bytes() >= size);
    while let Some(at) = mock.end.session.poll_timeout() {
        assert!(at <= mock.now + std::time::Duration::from_secs(2));
        mock.end.session.handle_timeout(at);
    }
    assert_eq!(mock.end.session.pool.bytes(), 0);
}

#[test]
fn numbers_of_calls_are_dense_and_limited() {
    for (first, second, text) in [
        (None, 5, "protocol violation: the call #5 skips a number that was never used"),
        (Some(0), 2, "protocol violation: the call #2 skips a number that was never used"),
        (Some(0), 0, "protocol violation: the call #0 is open already"),
        (None, 100, "protocol violation: the call #100 is above the limit of 100 open calls"),
    ] {
        let mut mock = Mock::connected(Settings { max_open_calls: 100, ..Settings::default() });
        for id in first.into_iter().chain([second]) {
            mock.frame(Frame::Call(head(id)), b"");
        }
        assert_eq!(mock.closed().text(), text);
    }
    let mut mock = Mock::connected(Settings { max_message_size: 1024, max_open_bytes: 1024, ..Settings::default() });
    mock.frame(Frame::Call(head(0)), &[0; 1000]);
    mock.frame(Frame::Call(head(1)), &[0; 25]);
    let reason = mock.closed();
    assert_eq!(
        reason.text(),
        "protocol violation: the open calls have 1025 bytes, more than the limit of 1024 bytes"
    );
}

#[test]
fn a_call_of_the_peer_costs_little() {
    // The bound of docs/protocol.md: the tables grow to one entry for each call that the settings allow.
    assert!(size_of::<remote_calls::RemoteCall>() <= 96);
    assert!(size_of::<stream::RecvHalf>() <= 32);
}

#[test]
fn a_peer_that_reads_no_replies_cannot_make_more_calls() {
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Call(head(0)), b"");
    mock.end.session.reply(CallId(0), Status::Ok, vec![0; 1000], false).expect("it is small enough");
    mock.frame(Frame::Call(head(0)), b"");
    let reason = mock.closed();
    assert_eq!(reason.text(), "protocol violation: the call #0 is used again before its reply was sent");
}

#[test]
fn a_reply_to_what_was_not_sent_closes() {
    let mut mock = Mock::connected(Settings::default());
    mock.end.session.open_call(&mut call("x")).expect("there is room");
    mock.frame(Frame::Reply { call: CallId(0), status: Status::Ok, download: false }, b"");
    assert_eq!(mock.closed().text(), "protocol violation: a reply to the call #0 before it was sent");
}

#[test]
fn credit_is_merged_for_a_peer_that_does_not_read() {
    let settings = Settings { stream_window: 1024, ..Settings::default() };
    let mut mock = Mock::connected(settings);
    mock.frame(Frame::Call(CallHead { uploads: 1, ..head(0) }), b"");
    mock.frame(Frame::Call(head(1)), b"");
    mock.end.session.reply(CallId(1), Status::Ok, vec![0; 300 << 10], false).expect("it is small enough");
    let waiting = mock.end.session.bytes_queued();
    let key = StreamKey { side: CallSide::Remote, call: CallId(0), stream: 1 };
    mock.end.session.stop_stream(key);
    // What a peer sends that has no credit any more is not even possible; what it may send is one note.
    mock.frame(Frame::Items { call: CallId(0), stream: 1, size: 0 }, &batch(&[&[0; 900]]));
    assert!(mock.end.session.bytes_queued() < waiting + 20);
    assert_eq!(mock.end.session.owing.len(), 1);
    mock.end.write_all();
    assert!(mock.end.session.owing.is_empty());
    mock.frame(Frame::Items { call: CallId(0), stream: 1, size: 0 }, &batch(&[&[0; 900]]));
    assert!(!mock.end.session.is_closed(), "the credit was given after all");
}

#[test]
fn malformed_frames_close_with_a_reason() {
    for (bytes, text) in [
        (&[][..], "malformed unknown frame: it is empty"),
        (&[99], "malformed unknown frame: its kind is unknown"),
        (&[0, 1], "malformed Heartbeat frame: something follows its end"),
        (&[1, 0], "malformed Call frame: the flags are missing"),
        (&[1, 0, 16], "malformed Call frame: a flag is unknown"),
        (
            &[1, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            "malformed Call frame: a one-way message has neither a number nor uploads",
        ),
        (&[1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 17], "malformed Call frame: the number of uploads is out of range"),
        (&[2, 0, 77], "malformed Reply frame: the status is unknown"),
        (&[2, 255, 255, 255, 255, 127], "malformed Reply frame: the call is out of range"),
    ] {
        let mut mock = Mock::connected(Settings::default());
        let len = (bytes.len() as u32).to_le_bytes();
        mock.send(&[&len[..], bytes].concat());
        let reason = mock.closed();
        assert_eq!(reason.kind(), CloseKind::ProtocolViolation);
        assert_eq!(reason.text(), format!("protocol violation: {text}"));
        assert_eq!(len.len(), LENGTH_PREFIX);
    }
}

#[test]
fn done_before_the_streams_have_ended_closes() {
    let mut mock = Mock::connected(Settings::default());
    let id = mock.end.session.open_call(&mut OpenCall { uploads: 1, ..call("x") }).expect("there is room");
    mock.end.write_all();
    mock.frame(Frame::Reply { call: id, status: Status::Ok, download: false }, b"");
    mock.frame(Frame::Done { call: id }, b"");
    assert_eq!(mock.closed().text(), "protocol violation: the call #0 is done before its streams have ended");
}

#[test]
fn a_call_cancelled_twice_is_aborted_once() {
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Call(CallHead { uploads: 1, ..head(0) }), b"");
    mock.frame(Frame::Cancel { call: CallId(0) }, b"");
    mock.frame(Frame::Cancel { call: CallId(0) }, b"");
    assert!(matches!(mock.end.take()[..], [Event::Called { .. }, Event::CallAborted { .. }]));
}
