//! Short calls that are lent.

use std::time::{Duration, Instant};

use bytes::BufMut;

use super::{super::*, mock::Mock, pair::End};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CallHead, Frame, Status},
};

fn call(id: u32) -> Frame {
    let (call, function) = (CallId(id), FunctionId::from_raw(7));
    Frame::Call(CallHead { call, function, one_way: false, deadline: None, trace: None, uploads: 0 })
}

/// The session gets these frames, and nobody takes them yet.
fn receive(end: &mut End, frames: impl IntoIterator<Item = Frame>) {
    for frame in frames {
        let mut bytes = Vec::new();
        frame.encode(1, &mut bytes);
        bytes.push(9);
        end.session.input_buffer().put_slice(&bytes);
        end.session.handle_received(Instant::now(), bytes.len());
    }
}

/// The numbers of the calls that are lent.
fn lent(session: &mut Session, run: &mut Run) -> Vec<u32> {
    if !session.lend(run) {
        return Vec::new();
    }
    std::iter::from_fn(|| run.next().map(|(call, _, bytes, len)| (call.0, bytes[..len].to_vec())))
        .map(|(call, arguments)| {
            assert_eq!(arguments, [9]);
            call
        })
        .collect()
}

#[test]
fn calls_are_lent_up_to_what_is_none() {
    let mut end = Mock::connected(Settings::default()).end;
    let mut run = Run::default();
    receive(&mut end, [call(0), call(1), call(0), Frame::Cancel { call: CallId(1) }, call(2)]);
    // A cancel has no payload: this one is malformed, but complete.
    assert_eq!(lent(&mut end.session, &mut run), [0, 1, 0]);
    assert!(end.session.take_back(&mut run), "a frame is left");
    assert_eq!(lent(&mut end.session, &mut run), [0; 0]);
    assert_eq!(end.session.open_calls(), 0, "they were answered, as far as the session knows");
}

#[test]
fn a_call_that_waits_is_noted_whatever_came_before_it() {
    let mut end = Mock::connected(Settings::default()).end;
    let mut run = Run::default();
    receive(&mut end, (0..5).map(call));
    assert_eq!(lent(&mut end.session, &mut run), [0, 1, 2, 3, 4]);
    // Those before it were answered.
    let serial = end.session.open_lent(CallId(4), 1).expect("it may be open");
    assert!(end.session.open_lent(CallId(4), 1).is_none(), "not twice");
    assert_eq!(end.closed().text(), "protocol violation: the call #4 is open already");
    assert_ne!(serial, 0);
}

#[test]
fn numbers_stay_dense_and_below_the_limit() {
    for (max_open_calls, numbers, text) in [
        (100, [0, 1, 3], "protocol violation: the call #3 skips a number that was never used"),
        (2, [0, 1, 2], "protocol violation: the call #2 is above the limit of 2 open calls"),
    ] {
        let mut end = Mock::connected(Settings { max_open_calls, ..Settings::default() }).end;
        let mut run = Run::default();
        receive(&mut end, numbers.map(call));
        let first = lent(&mut end.session, &mut run);
        assert_eq!(first, [0, 1]);
        assert!(end.session.take_back(&mut run));
        assert_eq!(lent(&mut end.session, &mut run), [0; 0], "it would not come to an end");
        assert_eq!(end.closed().text(), text);
    }
}

#[test]
fn a_graceful_close_waits_for_what_is_lent() {
    let mut end = Mock::connected(Settings::default()).end;
    let mut run = Run::default();
    receive(&mut end, [call(0)]);
    assert_eq!(lent(&mut end.session, &mut run), [0]);
    end.session.close_gracefully(Instant::now(), Duration::from_secs(1), "enough");
    assert!(!end.session.is_closed(), "its reply is still to come");
    let mut reply = Vec::new();
    Frame::Reply { call: CallId(0), status: Status::Ok, download: false }.encode(0, &mut reply);
    end.session.push_replies(&reply);
    assert!(end.session.take_back(&mut run), "the end is to be told of");
    assert!(end.session.is_closed());
    let written = end.write_all();
    assert!(written.windows(reply.len()).any(|part| part == reply), "{}", written.escape_ascii());
    assert!(written.ends_with(b"enough"));
}

#[test]
fn what_is_lent_when_the_connection_ends_is_let_go() {
    let mut end = Mock::connected(Settings::default()).end;
    let mut run = Run::default();
    receive(&mut end, [call(0), call(1)]);
    assert_eq!(lent(&mut end.session, &mut run), [0, 1]);
    end.session.handle_eof(Instant::now());
    assert!(end.session.open_lent(CallId(1), 1).is_none());
    assert!(end.session.take_back(&mut run), "the end is to be told of");
    assert!(!end.session.has_input());
}

#[test]
fn a_peer_that_does_not_read_gets_none_lent() {
    let mut end = Mock::connected(Settings::default()).end;
    let mut run = Run::default();
    end.session.push_replies(&vec![0; 300 << 10]);
    receive(&mut end, [call(0)]);
    assert_eq!(lent(&mut end.session, &mut run), [0; 0]);
    assert!(matches!(end.session.poll_event(), Some(Event::Called { .. })));
    assert_eq!(end.session.open_calls(), 1);
}
