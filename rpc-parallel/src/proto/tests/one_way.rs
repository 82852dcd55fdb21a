//! Messages without a reply, and their budget.

use super::{
    super::*,
    mock::Mock,
    pair::{Pair, call},
};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CallHead, CloseKind, Frame},
};

fn note(payload: impl Into<Vec<u8>>) -> OpenCall {
    OpenCall { one_way: true, ..call(payload) }
}

fn small() -> Settings {
    Settings { max_open_calls: 8, max_message_size: 1024, max_open_bytes: 4096, ..Settings::default() }
}

#[test]
fn a_lonely_message_causes_no_traffic_back() {
    let mut pair = Pair::connected(Settings::default());
    pair.initiator.session.open_call(&mut note("hi")).expect("there is room");
    pair.drive();
    assert!(matches!(pair.acceptor.take_one(), Event::Called { one_way: true, call: CallId(0), .. }));
    pair.acceptor.session.settle_one_way(2);
    assert!(!pair.acceptor.session.transmit());
    assert_eq!(pair.initiator.session.open_calls(), 0);
}

#[test]
fn the_number_of_messages_is_bounded_and_given_back() {
    let mut pair = Pair::connected(small());
    for round in 0..100 {
        while pair.initiator.session.open_call(&mut note("")).is_ok() {}
        pair.drive();
        let arrived = pair.acceptor.take().len();
        assert!((if round == 0 { 8 } else { 7 }..=8).contains(&arrived), "{arrived}");
        for _ in 0..arrived {
            pair.acceptor.session.settle_one_way(0);
        }
        pair.drive();
        assert!(matches!(pair.initiator.take_one(), Event::Vacancy));
    }
    assert!(!pair.acceptor.session.is_closed());
}

#[test]
fn the_largest_message_always_finds_room_in_the_end() {
    let settings = Settings { max_open_bytes: 1024, ..small() };
    let mut pair = Pair::connected(settings);
    for size in (0..=1024).chain((0..=1024).rev()).step_by(13) {
        let mut message = note(vec![0; size]);
        if let Err(error) = pair.initiator.session.open_call(&mut message) {
            assert_eq!(error, OpenCallError::Full);
            pair.drive();
            let open: Vec<_> = pair.acceptor.take();
            for event in open {
                let Event::Called { payload, .. } = event else { panic!("{event:?}") };
                pair.acceptor.session.settle_one_way(payload.len());
            }
            pair.drive();
            assert!(matches!(pair.initiator.take_one(), Event::Vacancy));
            pair.initiator.session.open_call(&mut message).expect("nothing is being worked on");
        }
    }
}

#[test]
fn a_sender_beyond_its_budget_is_closed() {
    let head = CallHead {
        call: CallId(0),
        function: FunctionId::from_raw(1),
        one_way: true,
        deadline: None,
        trace: None,
        uploads: 0,
    };
    let mut mock = Mock::connected(small());
    for _ in 0..8 {
        mock.frame(Frame::Call(head), b"");
    }
    mock.frame(Frame::Call(head), b"");
    let reason = mock.closed();
    assert_eq!(reason.kind(), CloseKind::ProtocolViolation);
    assert_eq!(reason.text(), "protocol violation: 9 one-way messages are open, more than the limit of 8");
    let mut mock = Mock::connected(small());
    for _ in 0..4 {
        mock.frame(Frame::Call(head), &[0; 1024]);
    }
    mock.frame(Frame::Call(head), b"x");
    assert!(mock.closed().text().contains("4097 bytes, more than the limit of 4096 bytes"));
    let mut mock = Mock::connected(small());
    mock.frame(Frame::Settled { calls: 1, bytes: 0 }, b"");
    assert_eq!(mock.closed().kind(), CloseKind::ProtocolViolation);
}
