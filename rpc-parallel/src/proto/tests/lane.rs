//! The change to shared memory, as far as the protocol knows of it.

use super::{super::*, mock::Mock};
use crate::{settings::Settings, wire::Frame};

#[test]
fn an_offer_is_taken_and_both_sides_change() {
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Offer, &[]);
    assert!(matches!(mock.end.take_one(), Event::LaneOffered));
    let from = mock.end.session.switch_lane();
    let written = mock.end.write_all();
    assert_eq!((&written[..], mock.end.session.bytes_sent()), (&[1, 0, 0, 0, 14][..], from));
    mock.frame(Frame::Lane, &[]);
    assert!(matches!(mock.end.take_one(), Event::LaneReceived));
}

#[test]
fn an_offer_is_answered_by_a_change_and_followed_by_one() {
    let mut mock = Mock::connected(Settings::default());
    assert!(mock.end.session.may_offer_lane());
    mock.end.session.offer_lane();
    assert!(!mock.end.session.may_offer_lane());
    assert_eq!(mock.end.write_all(), [1, 0, 0, 0, 13]);
    mock.frame(Frame::Lane, &[]);
    assert!(matches!(mock.end.take_one(), Event::LaneReceived));
    assert_eq!(mock.end.session.switch_lane(), mock.end.session.bytes_sent() + 5);
    assert_eq!(mock.end.write_all(), [1, 0, 0, 0, 14]);
}

#[test]
fn a_change_that_was_not_agreed_on_is_a_violation() {
    let change = "protocol violation: a change to shared memory that was not agreed on";
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Lane, &[]);
    assert_eq!(mock.closed().text(), change);

    // The offer has not been taken.
    let mut mock = Mock::connected(Settings::default());
    mock.frame(Frame::Offer, &[]);
    assert!(matches!(mock.end.take_one(), Event::LaneOffered));
    mock.frame(Frame::Lane, &[]);
    assert_eq!(mock.closed().text(), change);

    // It is over already.
    let mut mock = Mock::connected(Settings::default());
    mock.end.session.offer_lane();
    mock.end.write_all();
    mock.frame(Frame::Lane, &[]);
    assert!(matches!(mock.end.take_one(), Event::LaneReceived));
    mock.frame(Frame::Lane, &[]);
    assert_eq!(mock.closed().text(), change);
}

#[test]
fn a_second_offer_is_a_violation() {
    for offered in [false, true] {
        let mut mock = Mock::connected(Settings::default());
        if offered {
            mock.end.session.offer_lane();
            mock.end.write_all();
        } else {
            mock.frame(Frame::Offer, &[]);
            assert!(matches!(mock.end.take_one(), Event::LaneOffered));
        }
        mock.frame(Frame::Offer, &[]);
        assert_eq!(mock.closed().text(), "protocol violation: an offer of shared memory beside another one");
    }
}
