//! Downloads, uploads, and their credit.

use super::{
    super::*,
    mock::Mock,
    pair::{Pair, batch, call, items, local, remote},
};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CallHead, CloseKind, Frame, Status},
};

fn small_window() -> Settings {
    Settings { stream_window: 1024, max_message_size: 4096, ..Settings::default() }
}

/// A pair with a call whose download is open.
fn downloading(settings: Settings) -> (Pair, CallId) {
    let mut pair = Pair::connected(settings);
    let id = pair.call(call("x"));
    pair.reply(id, b"first", true);
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Replied { download: true, .. }));
    (pair, id)
}

#[test]
fn c122_a_reply_comes_before_the_stream_that_it_announces() {
    let (mut pair, id) = downloading(Settings::default());
    let key = remote(id, 0);
    assert_eq!(pair.acceptor.session.send_items(key, 0, &batch(&[b"a", b""])), SendState::Open);
    assert_eq!(pair.acceptor.session.send_items(key, 0, &batch(&[b"b"])), SendState::Open);
    pair.acceptor.session.end_stream(key, Status::Ok, Vec::new());
    pair.drive();
    let mut events = pair.initiator.take().into_iter();
    // What was sent before anything was written travels in one frame.
    match events.next() {
        Some(Event::Items { key, items: batch }) => {
            assert_eq!(key, local(id, 0));
            assert_eq!(items(batch), [&b"a"[..], b"", b"b"]);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(events.next(), Some(Event::Ended { status: Status::Ok, .. })));
    assert!(events.next().is_none());
    pair.assert_quiet();
}

#[test]
fn c143_what_is_sent_at_once_arrives_before_the_end() {
    let mut pair = Pair::connected(Settings::default()).with_pieces(vec![1]);
    let id = pair.call(call("x"));
    pair.reply(id, b"", true);
    let _ = pair.acceptor.session.send_items(remote(id, 0), 0, &batch(&[b"1", b"2"]));
    pair.acceptor.session.end_stream(remote(id, 0), Status::App, b"why".to_vec());
    assert_eq!(pair.acceptor.session.send_items(remote(id, 0), 0, &batch(&[b"3"])), SendState::Stopped);
    pair.drive();
    let events = pair.initiator.take();
    let [Event::Replied { .. }, Event::Items { .. }, Event::Ended { status, payload, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((*status, &payload[..]), (Status::App, &b"why"[..]));
    pair.assert_quiet();
}

#[test]
fn uploads_and_a_download_are_independent() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(OpenCall { uploads: 2, ..call("x") });
    let _ = pair.initiator.session.send_items(local(id, 2), 0, &batch(&[b"two"]));
    pair.initiator.session.end_stream(local(id, 2), Status::Ok, Vec::new());
    let _ = pair.initiator.session.send_items(local(id, 1), 0, &batch(&[b"one"]));
    pair.drive();
    let events = pair.acceptor.take();
    assert!(
        matches!(&events[..], [Event::Items { key: a, .. }, Event::Ended { key: b, .. }, Event::Items { key: c, .. }]
            if (*a, *b, *c) == (remote(id, 2), remote(id, 2), remote(id, 1))),
        "{events:?}"
    );
    pair.reply(id, b"", true);
    pair.acceptor.session.end_stream(remote(id, 0), Status::Ok, Vec::new());
    pair.drive();
    // The number is free only once the last upload has ended and the callee has said so.
    assert_eq!(pair.initiator.session.open_calls(), 1);
    pair.initiator.session.end_stream(local(id, 1), Status::Ok, Vec::new());
    assert_eq!(pair.initiator.session.open_calls(), 1);
    pair.assert_quiet();
}

#[test]
fn credit_bounds_what_is_on_the_way() {
    let (mut pair, id) = downloading(small_window());
    let (from, to) = (remote(id, 0), local(id, 0));
    assert_eq!(pair.acceptor.session.send_credit(from), 1024);
    // 1023 bytes with their length, and then one more item.
    let _ = pair.acceptor.session.send_items(from, 0, &batch(&[&[0; 1021], &[1; 300]]));
    assert_eq!(pair.acceptor.session.send_credit(from), 1 - 302);
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Items { .. }));
    pair.initiator.session.consumed(to, 511);
    assert!(!pair.initiator.session.transmit(), "less than half of the window is not worth a frame");
    pair.initiator.session.consumed(to, 1);
    pair.drive();
    assert!(matches!(pair.acceptor.take_one(), Event::Writable { key } if key == from));
    assert_eq!(pair.acceptor.session.send_credit(from), 512 - 301);
    pair.initiator.session.consumed(to, 1023 + 302 - 512);
    pair.drive();
    assert_eq!(pair.acceptor.session.send_credit(from), 1024);
    assert!(pair.acceptor.take().is_empty(), "credit that was never missed is no event");
}

#[test]
fn c141_stop_and_end_that_cross_are_harmless() {
    let (mut pair, id) = downloading(Settings::default());
    pair.initiator.session.stop_stream(local(id, 0));
    pair.acceptor.session.end_stream(remote(id, 0), Status::Ok, Vec::new());
    pair.drive();
    assert!(pair.acceptor.take().is_empty());
    assert!(matches!(pair.initiator.take_one(), Event::Ended { .. }));
    pair.assert_quiet();
    // The number of the finished call may be taken again while the Stop is on its way.
    let (mut pair, id) = downloading(Settings::default());
    pair.acceptor.session.end_stream(remote(id, 0), Status::Ok, Vec::new());
    pair.initiator.session.stop_stream(local(id, 0));
    pair.deliver_to_initiator();
    pair.initiator.take();
    assert_eq!(pair.call(call("y")), id);
    pair.reply(id, b"", true);
    assert_eq!(pair.acceptor.session.send_items(remote(id, 0), 0, &batch(&[b"new"])), SendState::Open);
}

#[test]
fn c141_a_stopped_sender_is_told_once_and_may_end_with_an_error() {
    let (mut pair, id) = downloading(small_window());
    let (from, to) = (remote(id, 0), local(id, 0));
    let _ = pair.acceptor.session.send_items(from, 0, &batch(&[&[0; 1100]]));
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Items { .. }));
    pair.initiator.session.stop_stream(to);
    pair.initiator.session.stop_stream(to);
    pair.initiator.session.consumed(to, 1102);
    pair.drive();
    assert!(matches!(pair.acceptor.take()[..], [Event::Stopped { .. }]));
    assert_eq!(pair.acceptor.session.send_items(from, 0, &batch(&[b"no"])), SendState::Stopped);
    pair.acceptor.session.end_stream(from, Status::App, b"error".to_vec());
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Ended { status: Status::App, .. }));
    pair.assert_quiet();
}

#[test]
fn credit_keeps_coming_for_a_stream_that_nobody_reads() {
    let (mut pair, id) = downloading(small_window());
    let (from, to) = (remote(id, 0), local(id, 0));
    // The Stop does not arrive for a while.
    pair.initiator.session.stop_stream(to);
    for _ in 0..10 {
        let _ = pair.acceptor.session.send_items(from, 0, &batch(&[&[0; 600]]));
        while pair.deliver_to_initiator() {}
    }
    assert!(pair.initiator.take().is_empty());
    assert!(!pair.initiator.session.is_closed(), "{:?}", pair.initiator.session.close_reason());
}

#[test]
fn c140_a_cancelled_stream_ends_on_both_sides() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(OpenCall { uploads: 1, ..call("x") });
    pair.reply(id, b"", true);
    let _ = pair.acceptor.session.send_items(remote(id, 0), 0, &batch(&[b"never seen"]));
    pair.deliver_to_initiator();
    pair.initiator.take();
    pair.initiator.session.cancel(id);
    let _ = pair.acceptor.session.send_items(remote(id, 0), 0, &batch(&[b"nor this"]));
    pair.drive();
    assert!(matches!(pair.acceptor.take_one(), Event::CallAborted { .. }));
    assert!(pair.initiator.take().is_empty());
    pair.assert_quiet();
}

#[test]
fn an_overdrawn_stream_closes() {
    let mut mock = Mock::connected(small_window());
    let head = CallHead {
        call: CallId(0),
        function: FunctionId::from_raw(1),
        one_way: false,
        deadline: None,
        trace: None,
        uploads: 1,
    };
    mock.frame(Frame::Call(head), b"");
    let stream = Frame::Items { call: CallId(0), stream: 1, size: 0 };
    mock.frame(stream, &batch(&[&[0; 1023]]));
    assert!(!mock.end.session.is_closed());
    mock.frame(stream, &batch(&[b"x"]));
    let reason = mock.closed();
    assert_eq!(reason.kind(), CloseKind::ProtocolViolation);
    assert_eq!(reason.text(), "protocol violation: items of stream 1 of the call #0 beyond its credit");
}
