//! Signs of life.

use std::time::Duration;

use super::{
    super::*,
    mock::Mock,
    pair::{Pair, call, config},
};
use crate::{
    settings::{HeartbeatSettings, Settings},
    wire::{CloseKind, Closer, Frame},
};

fn beating(send_every: f64, timeout: f64) -> Settings {
    let [send_every, timeout] = [send_every, timeout].map(Duration::from_secs_f64);
    Settings { heartbeat: Some(HeartbeatSettings { send_every, timeout }), ..Settings::default() }
}

/// Lets the session's own timers fire up to this time.
fn run(mock: &mut Mock, start: std::time::Instant, seconds: f64) {
    let until = start + Duration::from_secs_f64(seconds);
    while let Some(at) = mock.end.session.poll_timeout().filter(|at| *at <= until) {
        mock.now = at;
        mock.end.session.handle_timeout(at);
        if !mock.end.session.is_closed() {
            mock.end.write_all();
        }
    }
    mock.now = until;
}

#[test]
fn two_living_sides_stay_connected() {
    let mut pair = Pair::connected(beating(2.0, 10.0));
    pair.run_to(1000.0);
    assert!(pair.initiator.take().is_empty() && pair.acceptor.take().is_empty());
    // A length and a kind, every 2 s.
    assert!(pair.initiator.session.bytes_sent() > 500 * 5);
    assert_eq!(pair.initiator.session.last_heard(), pair.now);
}

#[test]
fn c162_any_message_is_life() {
    let mut mock = Mock::connected(beating(2.0, 10.0));
    let start = mock.now;
    for second in 1..100 {
        run(&mut mock, start, f64::from(second) * 9.0);
        mock.frame(Frame::Settled { calls: 0, bytes: 0 }, b"");
        assert!(!mock.end.session.is_closed());
    }
}

#[test]
fn c162_a_side_without_a_heartbeat_of_its_own_answers_to_the_peers() {
    let mut pair = Pair::new(SessionConfig { settings: beating(2.0, 6.0), ..config("a") }, config("b"));
    pair.run_to(1000.0);
    assert!(pair.initiator.session.is_established() && !pair.initiator.session.is_closed());
    // It judges nothing.
    pair.acceptor.session.handle_timeout(pair.now + Duration::from_secs(5000));
    pair.acceptor.session.handle_timeout(pair.now + Duration::from_secs(9000));
    assert!(!pair.acceptor.session.is_closed());
}

#[test]
fn c163_a_silent_peer_is_lost_when_the_next_heartbeat_is_due() {
    let mut mock = Mock::connected(beating(2.0, 10.0));
    let start = mock.now;
    run(&mut mock, start, 2.0);
    mock.frame(Frame::Heartbeat, b"");
    run(&mut mock, start, 13.999);
    assert!(!mock.end.session.is_closed());
    run(&mut mock, start, 14.0);
    let reason = mock.closed();
    assert_eq!((reason.kind(), reason.closer()), (CloseKind::HeartbeatLapse, Closer::Local));
    assert_eq!(
        reason.text(),
        "nothing was heard for 12s while 5 heartbeats were sent; the limit is 10s (`HeartbeatSettings::timeout`)"
    );
}

#[test]
fn c163_the_peer_is_told_the_same() {
    let mut pair = Pair::connected(beating(2.0, 10.0));
    // The acceptor's bytes do not arrive.
    for second in 1..=6 {
        let now = pair.now + Duration::from_secs(2 * second);
        pair.initiator.session.handle_timeout(now);
        while pair.deliver_to_acceptor() {}
    }
    let (here, there) = (pair.initiator.closed(), pair.acceptor.closed());
    assert_eq!((here.text(), here.kind(), there.closer()), (there.text(), there.kind(), Closer::Remote));
}

#[test]
fn c164_a_side_that_was_blocked_does_not_blame_its_peer() {
    let mut mock = Mock::connected(beating(4.0, 15.0));
    let start = mock.now;
    let blocked = start + Duration::from_secs(25);
    mock.end.session.handle_timeout(blocked);
    assert!(!mock.end.session.is_closed());
    mock.end.write_all();
    assert_eq!(mock.end.session.poll_timeout(), Some(start + Duration::from_secs(28)));
    run(&mut mock, start, 43.999);
    assert!(!mock.end.session.is_closed());
    run(&mut mock, start, 44.0);
    assert_eq!(mock.closed().kind(), CloseKind::HeartbeatLapse);
}

#[test]
fn c164_a_side_that_is_always_late_still_notices() {
    let mut mock = Mock::connected(beating(0.001, 0.003));
    for _ in 0..20 {
        mock.now += Duration::from_millis(10);
        mock.end.session.handle_timeout(mock.now);
    }
    assert_eq!(mock.end.closed().kind(), CloseKind::HeartbeatLapse);
}

#[test]
fn keep_alive_sends_and_judges_nothing() {
    let mut mock = Mock::connected(beating(2.0, 4.0));
    for _ in 0..100 {
        mock.now += Duration::from_secs(2);
        mock.end.session.keep_alive(mock.now);
        assert_eq!(mock.end.write_all(), [1, 0, 0, 0, 0]);
        mock.end.session.keep_alive(mock.now + Duration::from_secs(1));
        assert!(!mock.end.session.transmit());
    }
    assert!(!mock.end.session.is_closed());
}

#[test]
fn heartbeats_do_not_pile_up_before_a_peer_that_does_not_read() {
    let mut mock = Mock::connected(beating(1.0, 1_000_000.0));
    mock.end.session.open_call(&mut call("x")).expect("there is room");
    let waiting = mock.end.session.bytes_queued();
    for _ in 0..1000 {
        mock.now += Duration::from_secs(1);
        mock.end.session.handle_timeout(mock.now);
        mock.end.session.keep_alive(mock.now + Duration::from_millis(500));
    }
    assert_eq!(mock.end.session.bytes_queued(), waiting);
}
