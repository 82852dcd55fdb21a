//! Calls, replies, cancellation and deadlines.

use std::time::Duration;

use super::{
    super::*,
    mock::Mock,
    pair::{Pair, call, local, remote},
};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CloseKind, Closer, Few, Frame, Status, TraceContext},
};

#[test]
fn a_call_arrives_whole_and_so_does_its_reply() {
    for (size, pieces) in [(0, vec![1]), (5, vec![usize::MAX]), (200_000, vec![1000, 7, 99_999])] {
        let mut pair = Pair::connected(Settings::default()).with_pieces(pieces);
        let trace = TraceContext { trace_id: [1; 16], span_id: [2; 8], flags: 1 };
        let mut made = OpenCall {
            function: FunctionId::from_raw(42),
            deadline: Some(Duration::from_secs(3)),
            trace: Some(trace),
            tag: 77,
            ..call(vec![b'a'; size])
        };
        let id = pair.initiator.session.open_call(&mut made).expect("there is room");
        pair.drive();
        match pair.acceptor.take_one() {
            Event::Called { call, function, one_way: false, deadline, trace: got, uploads: 0, payload } => {
                assert_eq!((call, function.raw(), got, payload.len()), (id, 42, Some(trace), size));
                assert_eq!(deadline, Some(pair.now + Duration::from_secs(3)));
            }
            other => panic!("{other:?}"),
        }
        pair.reply(id, &vec![b'b'; size], false);
        pair.drive();
        match pair.initiator.take_one() {
            Event::Replied { call, tag: 77, status: Status::Ok, payload, download: false } => {
                assert_eq!((call, payload.len()), (id, size));
                assert!(payload.iter().all(|byte| *byte == b'b'));
            }
            other => panic!("{other:?}"),
        }
        pair.assert_quiet();
    }
}

#[test]
fn c121_calls_arrive_in_the_order_in_which_they_were_made() {
    let mut pair = Pair::connected(Settings::default()).with_pieces(vec![11, 3]);
    let ids: Vec<_> =
        (0..100_u8).map(|n| pair.initiator.session.open_call(&mut call([n])).expect("there is room")).collect();
    pair.drive();
    let arrived: Vec<_> = pair
        .acceptor
        .take()
        .into_iter()
        .map(|event| match event {
            Event::Called { call, payload, .. } => (call, payload[0]),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(arrived, ids.iter().copied().zip(0..).collect::<Vec<_>>());
    // They may be answered in any order.
    for id in ids.iter().rev() {
        pair.reply(*id, b"", false);
    }
    pair.drive();
    assert_eq!(pair.initiator.take().len(), 100);
    pair.assert_quiet();
    // The numbers are used again.
    let again = pair.call(call("x"));
    assert!(again.0 < 100);
}

#[test]
fn both_sides_may_call_with_the_same_number() {
    let mut pair = Pair::connected(Settings::default());
    let there = pair.initiator.session.open_call(&mut call("there")).expect("there is room");
    let back = pair.acceptor.session.open_call(&mut call("back")).expect("there is room");
    assert_eq!(there, back);
    pair.drive();
    for end in [&mut pair.initiator, &mut pair.acceptor] {
        assert!(matches!(end.take_one(), Event::Called { .. }));
        end.session.reply(there, Status::App, b"no".to_vec(), false).expect("it is small enough");
    }
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Replied { status: Status::App, .. }));
    assert!(matches!(pair.acceptor.take_one(), Event::Replied { status: Status::App, .. }));
    pair.assert_quiet();
}

#[test]
fn a_cancelled_call_is_answered_by_the_session_and_forgotten_by_the_caller() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(call("x"));
    pair.initiator.session.cancel(id);
    pair.initiator.session.cancel(id);
    pair.deliver_to_acceptor();
    assert!(
        matches!(pair.acceptor.take_one(), Event::CallAborted { call, why: AbortReason::Cancelled } if call == id)
    );
    // The handler did not know yet.
    pair.reply(id, b"late", true);
    assert_eq!(pair.initiator.session.open_calls(), 1);
    pair.assert_quiet();
    assert!(pair.initiator.take().is_empty());
}

#[test]
fn a_cancel_that_crosses_with_the_reply_is_harmless() {
    for download in [false, true] {
        let mut pair = Pair::connected(Settings::default());
        let id = pair.call(OpenCall { uploads: 2, ..call("x") });
        pair.reply(id, b"done", download);
        pair.initiator.session.cancel(id);
        pair.drive();
        assert!(pair.initiator.take().is_empty());
        let events = pair.acceptor.take();
        assert!(matches!(events[..], [Event::CallAborted { .. }]), "{events:?}");
        pair.assert_quiet();
    }
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(call("x"));
    pair.reply(id, b"done", false);
    pair.initiator.session.cancel(id);
    pair.drive();
    assert!(pair.initiator.take().is_empty() && pair.acceptor.take().is_empty());
    pair.assert_quiet();
}

#[test]
fn a_deadline_answers_the_call() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(OpenCall { deadline: Some(Duration::from_secs(2)), uploads: 1, ..call("x") });
    let other = pair.call(OpenCall { deadline: Some(Duration::from_secs(1)), ..call("y") });
    pair.reply(other, b"in time", false);
    pair.run_to(1.9);
    assert!(matches!(pair.initiator.take_one(), Event::Replied { call, .. } if call == other));
    assert!(pair.acceptor.take().is_empty());
    pair.run_to(2.1);
    assert!(
        matches!(pair.acceptor.take_one(), Event::CallAborted { call, why: AbortReason::Deadline } if call == id)
    );
    let events = pair.initiator.take();
    assert!(
        matches!(&events[..], [Event::Replied { status: Status::Deadline, .. }, Event::Stopped { key }]
            if *key == local(id, 1)),
        "{events:?}"
    );
    pair.initiator.session.end_stream(local(id, 1), Status::Cancelled, Vec::new());
    pair.assert_quiet();
    assert!(pair.acceptor.take().is_empty());
}

#[test]
fn the_deadlines_of_answered_calls_are_forgotten() {
    let mut pair = Pair::connected(Settings::default());
    for _ in 0..1000 {
        let id = pair.call(OpenCall { deadline: Some(Duration::from_secs(3600)), ..call("x") });
        pair.reply(id, b"", false);
        pair.drive();
        assert!(pair.acceptor.session.deadlines.len() <= 70);
    }
}

#[test]
fn calls_wait_for_room() {
    let settings =
        Settings { max_open_calls: 2, max_message_size: 2000, max_open_bytes: 3000, ..Settings::default() };
    let mut pair = Pair::connected(settings);
    let first = pair.call(call(vec![0; 2000]));
    let mut too_much = call(vec![0; 1001]);
    assert_eq!(pair.initiator.session.open_call(&mut too_much), Err(OpenCallError::Full));
    assert_eq!(too_much, call(vec![0; 1001]));
    let second = pair.call(call(vec![0; 1000]));
    assert!(matches!(pair.initiator.session.open_call(&mut call("")), Err(OpenCallError::Full)));
    pair.reply(second, b"", false);
    pair.drive();
    let events = pair.initiator.take();
    assert!(matches!(events[..], [Event::Replied { .. }, Event::Vacancy]), "{events:?}");
    pair.reply(first, b"", false);
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Replied { .. }));
    pair.call(too_much);
}

#[test]
fn c127_unknown_reply_id_closes() {
    let reply = |call| Frame::Reply { call: CallId(call), status: Status::Ok, download: false };
    for (frame, text) in [
        (reply(3), "protocol violation: a reply to the call #3, which is not open"),
        (Frame::Done { call: CallId(3) }, "protocol violation: the call #3 is done, which is not open"),
        (
            Frame::Items { call: CallId(0), stream: 0, size: 0 },
            "protocol violation: items of stream 0 of the call #0, which is not open",
        ),
        (
            Frame::End { call: CallId(1), stream: 2, status: Status::Ok },
            "protocol violation: the end of stream 2 of the call #1, which is not open",
        ),
    ] {
        let mut mock = Mock::connected(Settings::default());
        let payload: &[u8] = if matches!(frame, Frame::Done { .. }) { b"" } else { b"\x01x" };
        mock.frame(frame, payload);
        let reason = mock.closed();
        assert_eq!((reason.kind(), reason.closer()), (CloseKind::ProtocolViolation, Closer::Local));
        assert_eq!(reason.text(), text);
    }
    // A second reply to the same call.
    let mut mock = Mock::connected(Settings::default());
    mock.end.session.open_call(&mut call("x")).expect("there is room");
    mock.end.write_all();
    mock.frame(reply(0), b"");
    assert!(!mock.end.session.is_closed());
    mock.frame(reply(0), b"");
    assert_eq!(mock.closed().kind(), CloseKind::ProtocolViolation);
}

#[test]
fn what_comes_late_for_a_finished_call_is_ignored() {
    let mut mock = Mock::connected(Settings::default());
    for frame in [
        Frame::Cancel { call: CallId(9) },
        Frame::Credit { call: CallId(9), stream: 0, bytes: 5 },
        Frame::Stop { call: CallId(9), stream: 1 },
    ] {
        mock.frame(frame, b"");
    }
    assert!(!mock.end.session.is_closed() && mock.end.take().is_empty());
    // The driver may be late too.
    let key = remote(CallId(9), 0);
    assert_eq!(mock.end.session.send_items(key, 0, b"\x01x"), SendState::Stopped);
    mock.end.session.end_stream(key, Status::Ok, Vec::new());
    mock.end.session.stop_stream(local(CallId(9), 0));
    mock.end.session.consumed(local(CallId(9), 0), 100);
    mock.end.session.cancel(CallId(9));
    assert_eq!(mock.end.session.send_credit(key), 0);
    assert!(!mock.end.session.transmit());
}

/// Calls of a few bytes, and short ones, as many as the peer takes.
#[test]
fn short_calls_stay_within_what_the_peer_takes() {
    let function = FunctionId::from_raw(42);
    let settings = |calls, bytes| Settings { max_open_calls: calls, max_open_bytes: bytes, ..Settings::default() };
    let few = Few::of(b"abcd");
    for calls in [1, 2, 5] {
        let mut pair = Pair::connected(settings(calls, 1 << 20));
        let session = &mut pair.initiator.session;
        assert!(session.open_few(function, few, 0).is_none(), "it is for a call beside others");
        let first = session.open_short(function, few, b"something else", 0).expect("there is room");
        let others: Vec<_> =
            (1..calls).map(|tag| session.open_few(function, few, tag as u32).expect("there is room")).collect();
        assert!(session.open_few(function, few, 9).is_none() && session.open_short(function, few, b"", 9).is_none());
        pair.drive();
        assert_eq!(pair.acceptor.take().len(), calls);
        for id in others.into_iter().chain([first]) {
            pair.reply(id, b"ok", false);
        }
        pair.drive();
        assert_eq!(pair.initiator.take().len(), calls);
        let session = &mut pair.initiator.session;
        assert!(session.open_short(function, few, b"", 0).is_some(), "there is room again");
    }
    let limits = Settings { max_message_size: 1 << 10, ..settings(100, (1 << 10) + 8) };
    let mut pair = Pair::connected(limits);
    let session = &mut pair.initiator.session;
    session.open_short(function, Few::NONE, &[7; 1 << 10], 0).expect("there is room");
    session.open_few(function, few, 0).expect("four of eight bytes are left");
    assert!(session.open_few(function, Few::of(b"abcde"), 0).is_none());
    assert!(session.open_short(function, Few::NONE, &[7; 9], 0).is_none());
    session.open_few(function, few, 0).expect("all that is left");
    assert!(session.open_few(function, Few::of(b"a"), 0).is_none());
}

/// Who closes, or whose peer does, makes no short calls.
#[test]
fn short_calls_end_with_the_connection() {
    let refused = |session: &mut Session| {
        let (function, few) = (FunctionId::from_raw(42), Few::of(b"abcd"));
        session.open_few(function, few, 0).is_none() && session.open_short(function, few, b"", 0).is_none()
    };
    let open = |pair: &mut Pair| {
        let id = pair.initiator.session.open_call(&mut call(b"x")).expect("there is room");
        pair.drive();
        pair.acceptor.take();
        id
    };
    let mut pair = Pair::connected(Settings::default());
    open(&mut pair);
    assert!(!refused(&mut pair.initiator.session));
    let now = pair.now;
    pair.initiator.session.close_gracefully(now, Duration::from_secs(9), "done");
    assert!(refused(&mut pair.initiator.session));
    pair.drive();
    assert!(refused(&mut pair.acceptor.session), "the peer closes");

    let mut pair = Pair::connected(Settings::default());
    open(&mut pair);
    pair.initiator.session.close(now, CloseKind::ShuttingDown, "done");
    assert!(refused(&mut pair.initiator.session));

    let mut pair = Pair::connected(Settings::default());
    open(&mut pair);
    pair.initiator.session.take_no_calls();
    assert!(refused(&mut pair.initiator.session));
}
