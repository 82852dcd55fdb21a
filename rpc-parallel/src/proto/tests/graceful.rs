//! Closing, at once and gracefully.

use std::time::Duration;

use super::{
    super::*,
    mock::Mock,
    pair::{Pair, batch, call, local, remote},
};
use crate::{
    settings::Settings,
    wire::{CloseKind, CloseReason, Closer, Frame, Status},
};

#[test]
fn c146_an_end_of_file_is_the_reason_for_all_that_is_open() {
    let mut pair = Pair::connected(Settings::default());
    pair.call(call("x"));
    pair.initiator.session.handle_eof(pair.now);
    let reason = pair.initiator.closed();
    assert_eq!(reason, CloseReason::new(Closer::Nobody, CloseKind::Eof, ""));
    assert_eq!(reason.to_string(), "end of file: the peer closed the connection without a reason");
    assert_eq!(pair.initiator.session.open_call(&mut call("y")), Err(OpenCallError::Closed));
    assert!(!pair.initiator.session.transmit());
}

#[test]
fn c147_a_graceful_close_waits_for_open_calls() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(call("x"));
    let back = pair.acceptor.session.open_call(&mut call("back")).expect("there is room");
    pair.drive();
    pair.initiator.take();
    pair.initiator.session.close_gracefully(pair.now, Duration::from_secs(60), "done");
    pair.run_to(9.0);
    pair.reply(id, b"in time", false);
    pair.drive();
    assert!(matches!(pair.initiator.take_one(), Event::Replied { status: Status::Ok, .. }));
    assert!(!pair.initiator.session.is_closed());
    pair.initiator.session.reply(back, Status::Ok, Vec::new(), false).expect("it is small enough");
    pair.drive();
    assert_eq!(pair.initiator.closed().to_string(), "connection closed by local side: done");
    let events = pair.acceptor.take();
    let [Event::PeerClosing, Event::Replied { .. }, Event::Closed(reason)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(reason.to_string(), "connection closed by remote side: done");
    assert_eq!(reason.kind(), CloseKind::ShuttingDown);
}

#[test]
fn c148_no_new_calls_while_closing() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(call("x"));
    let crossing = pair.acceptor.session.open_call(&mut OpenCall { uploads: 1, ..call("back") });
    let crossing = crossing.expect("there is room");
    pair.initiator.session.close_gracefully(pair.now, Duration::from_secs(60), "done");
    assert!(pair.initiator.session.is_closing() && !pair.initiator.session.is_closed());
    assert_eq!(pair.initiator.session.open_call(&mut call("y")), Err(OpenCallError::Closing));
    pair.drive();
    assert!(pair.initiator.take().is_empty(), "the crossing call is not served");
    let events = pair.acceptor.take();
    assert!(
        matches!(
            events[..],
            [Event::PeerClosing, Event::Replied { status: Status::Refused, .. }, Event::Stopped { .. }]
        ),
        "{events:?}"
    );
    assert_eq!(pair.acceptor.session.open_call(&mut call("y")), Err(OpenCallError::Closing));
    pair.acceptor.session.end_stream(local(crossing, 1), Status::Cancelled, Vec::new());
    pair.reply(id, b"", false);
    pair.drive();
    assert_eq!(pair.initiator.closed().kind(), CloseKind::ShuttingDown);
}

#[test]
fn c149_what_is_not_done_in_time_fails() {
    let mut pair = Pair::connected(Settings::default());
    let (two, five, ten) = (pair.call(call("2")), pair.call(call("5")), pair.call(call("10")));
    pair.initiator.session.close_gracefully(pair.now, Duration::from_secs_f64(5.5), "enough");
    pair.run_to(2.0);
    pair.reply(two, b"", false);
    pair.run_to(5.0);
    pair.reply(five, b"", false);
    pair.run_to(5.4);
    assert_eq!(pair.initiator.take().len(), 2);
    pair.run_to(5.6);
    assert_eq!(pair.initiator.closed().text(), "enough");
    pair.reply(ten, b"too late", false);
    pair.drive();
    assert!(pair.initiator.take().is_empty());
    assert_eq!(pair.acceptor.closed().closer(), Closer::Remote);
}

#[test]
fn a_graceful_close_waits_for_streams_and_one_way_messages() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(call("x"));
    pair.reply(id, b"", true);
    let note = pair.initiator.session.open_call(&mut OpenCall { one_way: true, ..call("note") });
    note.expect("there is room");
    pair.drive();
    pair.initiator.session.close_gracefully(pair.now, Duration::from_secs(60), "");
    pair.drive();
    assert!(!pair.initiator.session.is_closed());
    let _ = pair.acceptor.session.send_items(remote(id, 0), 0, &batch(&[b"last"]));
    pair.acceptor.session.end_stream(remote(id, 0), Status::Ok, Vec::new());
    pair.drive();
    assert!(!pair.initiator.session.is_closed());
    pair.acceptor.session.settle_one_way(4);
    pair.drive();
    assert_eq!(pair.initiator.closed().to_string(), "connection closed by local side");
}

#[test]
fn both_sides_may_close_gracefully_at_once() {
    let mut pair = Pair::connected(Settings::default());
    let id = pair.call(call("x"));
    pair.initiator.session.close_gracefully(pair.now, Duration::from_secs(60), "a");
    pair.acceptor.session.close_gracefully(pair.now, Duration::from_secs(60), "b");
    pair.reply(id, b"", false);
    pair.drive();
    assert_eq!(pair.acceptor.closed().text(), "b");
    assert!(pair.initiator.session.is_closed());
    // With nothing open it is over at once.
    let mut pair = Pair::connected(Settings::default());
    pair.initiator.session.close_gracefully(pair.now, Duration::from_secs(60), "a");
    assert_eq!(pair.initiator.closed().text(), "a");
}

#[test]
fn c151_closing_again_changes_nothing() {
    let mut pair = Pair::connected(Settings::default());
    pair.initiator.session.close(pair.now, CloseKind::Other, "first");
    pair.initiator.session.close(pair.now, CloseKind::Unspecified, "second");
    pair.initiator.session.close_gracefully(pair.now, Duration::ZERO, "third");
    pair.initiator.session.handle_eof(pair.now);
    pair.initiator.session.handle_transport_error(pair.now, "broken".to_owned());
    assert_eq!(pair.initiator.closed().text(), "first");
    assert_eq!(pair.initiator.session.poll_timeout(), None);
}

#[test]
fn c152_the_reason_reaches_the_peer_and_wins_over_the_end_of_file() {
    let mut pair = Pair::connected(Settings::default()).with_pieces(vec![1]);
    let id = pair.call(call("x"));
    pair.reply(id, b"before", false);
    pair.acceptor.session.close(pair.now, CloseKind::Other, "häh: \u{1f980} & <reason>");
    pair.drive();
    pair.initiator.session.handle_eof(pair.now);
    let events = pair.initiator.take();
    let [Event::Replied { .. }, Event::Closed(reason)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*reason, CloseReason::new(Closer::Remote, CloseKind::Other, "häh: \u{1f980} & <reason>"));
    assert_eq!(pair.acceptor.closed().to_string(), "connection closed by local side: häh: \u{1f980} & <reason>");
}

#[test]
fn nothing_is_heard_after_the_end() {
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Close { kind: CloseKind::Unspecified }, b"");
    mock.frame(Frame::Closing, b"");
    mock.send(&[0xff; 100_000]);
    mock.end.session.handle_timeout(mock.now);
    assert_eq!(mock.end.closed(), CloseReason::new(Closer::Remote, CloseKind::Unspecified, ""));
    mock.end.session.reply(crate::id::CallId(0), Status::Ok, Vec::new(), false).expect("it is ignored");
    assert!(!mock.end.session.transmit());
}
