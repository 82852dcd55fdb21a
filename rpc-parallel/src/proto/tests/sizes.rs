//! Messages above the limits.

use super::{
    super::*,
    mock::Mock,
    pair::{Pair, batch, call, config, local, remote},
};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CallHead, CloseKind, Closer, FRAME_ALLOWANCE, Frame, Status, TooBig},
};

fn limited(max_message_size: usize) -> Settings {
    Settings { max_message_size, ..Settings::default() }
}

/// A pair whose sides have different limits.
fn unequal(initiator: usize, acceptor: usize) -> Pair {
    let mut pair = Pair::new(
        SessionConfig { settings: limited(initiator), ..config("a") },
        SessionConfig { settings: limited(acceptor), ..config("b") },
    );
    pair.drive();
    pair.initiator.take();
    pair.acceptor.take();
    pair
}

#[test]
fn c167_a_call_above_the_limit_fails_before_it_is_sent() {
    for mut pair in [Pair::connected(limited(5000)), unequal(5000, 9000), unequal(9000, 5000)] {
        let refused = pair.initiator.session.open_call(&mut call(vec![0; 5001]));
        assert_eq!(refused, Err(OpenCallError::TooBig(TooBig { size: 5001, limit: 5000 })));
        assert!(!pair.initiator.session.transmit());
        let mut one_way = OpenCall { one_way: true, ..call(vec![0; 5001]) };
        assert!(matches!(pair.initiator.session.open_call(&mut one_way), Err(OpenCallError::TooBig(_))));
        // The connection lives, and the limit itself is allowed.
        let id = pair.call(call(vec![0; 5000]));
        pair.reply(id, &[0; 5000], false);
        pair.assert_quiet();
    }
}

#[test]
fn c168_a_reply_above_the_limit_becomes_one_that_says_so() {
    let mut pair = unequal(5000, 9000);
    let id = pair.call(call("x"));
    let error = pair.acceptor.session.reply(id, Status::Ok, vec![0; 5001], false).expect_err("it is too big");
    assert_eq!(error, TooBig { size: 5001, limit: 5000 });
    let payload = error.payload("the reply");
    pair.acceptor.session.reply(id, Status::TooBig, payload, false).expect("it is small enough");
    pair.drive();
    match pair.initiator.take_one() {
        Event::Replied { status: Status::TooBig, payload, .. } => {
            assert_eq!(TooBig::from_payload(&payload), Some((error, "the reply".to_owned())));
        }
        other => panic!("{other:?}"),
    }
    pair.assert_quiet();
}

#[test]
fn c169_a_stream_ends_with_the_error_after_what_was_sent_before() {
    let mut pair = Pair::connected(limited(2000));
    let id = pair.call(call("x"));
    pair.reply(id, b"", true);
    let key = remote(id, 0);
    assert_eq!(pair.acceptor.session.message_limit(), 2000);
    let _ = pair.acceptor.session.send_items(key, 0, &batch(&[&[0; 2000]]));
    let payload = TooBig { size: 2001, limit: 2000 }.payload("an item");
    pair.acceptor.session.end_stream(key, Status::TooBig, payload);
    pair.acceptor.session.end_stream(key, Status::TooBig, Vec::new());
    pair.drive();
    let events = pair.initiator.take();
    assert!(
        matches!(
            events[..],
            [Event::Replied { .. }, Event::Items { .. }, Event::Ended { status: Status::TooBig, .. }]
        ),
        "{events:?}"
    );
    pair.assert_quiet();
}

#[test]
fn c169_an_error_that_is_itself_too_big_is_replaced() {
    let mut pair = Pair::connected(limited(2000));
    let id = pair.call(OpenCall { uploads: 1, ..call("x") });
    pair.initiator.session.end_stream(local(id, 1), Status::App, vec![0; 3000]);
    pair.drive();
    match pair.acceptor.take_one() {
        Event::Ended { status: Status::TooBig, payload, .. } => {
            assert_eq!(TooBig::from_payload(&payload).map(|(error, _)| error.size), Some(3000));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn c170_a_message_above_the_receivers_limit_closes() {
    let head = CallHead {
        call: CallId(0),
        function: FunctionId::from_raw(1),
        one_way: false,
        deadline: None,
        trace: None,
        uploads: 1,
    };
    let text = |size| {
        format!(
            "a message of {size} bytes is larger than the limit of 2000 bytes; raise `Settings::max_message_size`"
        )
    };
    // A call, an item, an error at the end of a stream, a reply.
    let mut mock = Mock::connected(limited(2000));
    mock.frame(Frame::Call(head), &[0; 2001]);
    let reason = mock.closed();
    assert_eq!((reason.text(), reason.kind(), reason.closer()), (&*text(2001), CloseKind::TooBig, Closer::Local));
    let mut mock = Mock::connected(limited(2000));
    mock.frame(Frame::Call(head), &[0; 2000]);
    mock.frame(Frame::Items { call: CallId(0), stream: 1, size: 0 }, &batch(&[b"good", &[0; 2001]]));
    assert_eq!(mock.closed().text(), text(2001));
    let mut mock = Mock::connected(limited(2000));
    mock.frame(Frame::Call(head), b"");
    mock.frame(Frame::End { call: CallId(0), stream: 1, status: Status::App }, &[0; 2002]);
    assert_eq!(mock.closed().text(), text(2002));
    let mut mock = Mock::connected(limited(2000));
    let id = mock.end.session.open_call(&mut call("x")).expect("there is room");
    mock.end.write_all();
    mock.frame(Frame::Reply { call: id, status: Status::Ok, download: false }, &[0; 2003]);
    assert_eq!(mock.closed().text(), text(2003));
}

#[test]
fn c170_an_announced_size_is_enough() {
    let mut mock = Mock::connected(limited(2000));
    let limit = 2000 + FRAME_ALLOWANCE;
    mock.send(&(limit as u32).to_le_bytes());
    assert!(!mock.end.session.is_closed());
    let mut mock = Mock::connected(limited(2000));
    mock.send(&(limit as u32 + 1).to_le_bytes());
    let reason = mock.closed();
    assert_eq!(reason.kind(), CloseKind::TooBig);
    assert!(reason.text().contains(&(limit + 1).to_string()) && reason.text().contains("2000"), "{reason}");
}

#[test]
fn items_that_wait_together_stay_within_a_frame() {
    let mut pair = Pair::connected(Settings { max_message_size: 1024, ..Settings::default() });
    let id = pair.call(call("x"));
    pair.reply(id, b"", true);
    let (batch, row) = (batch(&[&[7; 1000][..]; 9]), [7; 9000]);
    for _ in 0..50 {
        let _ = pair.acceptor.session.send_items(remote(id, 0), 0, &batch);
    }
    for _ in 0..50 {
        let _ = pair.acceptor.session.send_items(remote(id, 0), 1000, &row);
    }
    pair.drive();
    let received: usize = pair
        .initiator
        .take()
        .iter()
        .map(|event| match event {
            Event::Items { items, .. } => items.bytes.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(received, 50 * (batch.len() + row.len()));
}
