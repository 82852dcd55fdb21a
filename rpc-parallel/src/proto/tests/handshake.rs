//! Agreement, and all kinds of disagreement.

use std::time::Duration;

use super::{
    super::*,
    mock::{Mock, hello, verdict},
    pair::{Pair, call, config},
};
use crate::{
    id::{BuildId, WorkerId},
    settings::Settings,
    wire::{
        CloseKind, CloseReason, Closer, HandshakeFailure as Failure, HandshakeStep as Step, Hello, Refusal, Verdict,
    },
};

fn failure(reason: &CloseReason) -> (Step, Failure) {
    match reason.kind() {
        CloseKind::HandshakeFailed(step, failure) => (step, failure),
        _ => panic!("{reason}"),
    }
}

/// Drives a pair that cannot agree, and returns the initiator's and the acceptor's reason.
fn disagree(initiator: SessionConfig, acceptor: SessionConfig) -> (CloseReason, CloseReason) {
    let mut pair = Pair::new(initiator, acceptor);
    pair.drive();
    (pair.initiator.closed(), pair.acceptor.closed())
}

#[test]
fn both_sides_learn_who_the_other_is() {
    let worker = WorkerId::from_bytes([5; 16]);
    let acceptor = SessionConfig { worker, ..config("pid 2") };
    for pieces in [vec![usize::MAX], vec![1], vec![3, 50]] {
        let mut pair = Pair::new(config("pid 1"), acceptor.clone()).with_pieces(pieces);
        pair.drive();
        let peer = pair.initiator.session.peer().expect("it is established");
        assert_eq!((peer.label.as_str(), peer.worker, peer.version), ("pid 2", worker, 1));
        assert_eq!(pair.acceptor.session.peer().map(|peer| peer.label.as_str()), Some("pid 1"));
        assert!(pair.initiator.session.is_established() && pair.initiator.session.poll_timeout().is_none());
    }
}

#[test]
fn a_call_can_be_made_one_round_trip_after_the_start() {
    let mut pair = Pair::new(config("a"), config("b"));
    let mut early = call("x");
    assert_eq!(pair.initiator.session.open_call(&mut early), Err(OpenCallError::Full));
    // Both Hellos cross; the acceptor's verdict comes with the next bytes.
    pair.deliver_to_acceptor();
    pair.deliver_to_initiator();
    assert!(matches!(pair.initiator.take()[..], [Event::Established, Event::Vacancy]));
    pair.initiator.session.open_call(&mut early).expect("there is room");
    pair.deliver_to_acceptor();
    assert!(matches!(pair.acceptor.take()[..], [Event::Established, Event::Called { .. }]));
}

#[test]
fn c155_each_side_times_out_by_itself() {
    let with = |label, seconds| SessionConfig {
        settings: Settings { handshake_timeout: Duration::from_secs(seconds), ..Settings::default() },
        ..config(label)
    };
    // Nobody answers: each side by its own clock.
    for (first, second) in [(1, 5), (5, 1), (3, 3)] {
        let mut pair = Pair::new(with("a", first), with("b", second));
        for (end, seconds) in [(&mut pair.initiator, first), (&mut pair.acceptor, second)] {
            let at = pair.now + Duration::from_secs(seconds);
            assert_eq!(end.session.poll_timeout(), Some(at));
            end.session.handle_timeout(at - Duration::from_millis(1));
            assert!(!end.session.is_closed());
            end.session.handle_timeout(at);
            assert_eq!(failure(&end.closed()), (Step::Hello, Failure::Timeout));
            assert_eq!(end.session.poll_timeout(), None);
        }
    }
    // One loses patience: the other sees the end, at the step that it had reached.
    let mut pair = Pair::new(with("a", 1), with("b", 5));
    pair.initiator.session.handle_timeout(pair.now + Duration::from_secs(1));
    assert!(pair.initiator.closed().text().contains("1s (`Settings::handshake_timeout`)"));
    let early = pair.now + Duration::from_secs(1);
    pair.acceptor.session.handle_eof(early);
    let reason = pair.acceptor.closed();
    assert_eq!(failure(&reason), (Step::Hello, Failure::Eof));
    assert_eq!(reason.closer(), Closer::Nobody);
    let mut pair = Pair::new(with("a", 1), with("b", 5));
    pair.deliver_to_acceptor();
    let early = pair.now + Duration::from_secs(1);
    pair.initiator.session.handle_timeout(early);
    pair.acceptor.session.handle_eof(early);
    assert_eq!(failure(&pair.acceptor.closed()), (Step::Verdict, Failure::Eof));
    // The verdict can be late as well.
    let mut pair = Pair::new(with("a", 5), with("b", 1));
    pair.deliver_to_acceptor();
    pair.acceptor.session.handle_timeout(pair.now + Duration::from_secs(1));
    assert_eq!(failure(&pair.acceptor.closed()), (Step::Verdict, Failure::Timeout));
}

#[test]
fn c156_garbage_is_noticed_with_its_first_byte() {
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    mock.send(b"GET / HTTP/1.1\r\n");
    let reason = mock.end.closed();
    assert_eq!(failure(&reason), (Step::Hello, Failure::Garbage));
    assert_eq!(
        reason.to_string(),
        "handshake failed at its hello: the peer does not speak the rpc-parallel protocol: it sent \"GET / \
         HTTP/1.1\\r\\n\""
    );
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    mock.send(&hello().encode());
    mock.send(&[7]);
    assert_eq!(failure(&mock.end.closed()), (Step::Verdict, Failure::Garbage));
}

#[test]
fn c156_a_hello_above_the_limit_is_refused() {
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    mock.send(b"\x89RPCP\r\n\x1a\xff\xff");
    let reason = mock.closed();
    assert_eq!(failure(&reason), (Step::Hello, Failure::TooBig));
    assert!(reason.text().contains("65545 bytes, more than the limit of 4096 bytes"), "{reason}");
}

#[test]
fn c156_a_reason_given_during_the_handshake_is_in_the_error() {
    for steps in 0..3 {
        let mut pair = Pair::new(config("a"), config("b"));
        for _ in 0..steps {
            pair.deliver_to_acceptor();
        }
        pair.acceptor.session.close(pair.now, CloseKind::Other, "no more memory");
        pair.drive();
        assert!(pair.initiator.closed().to_string().ends_with(": no more memory"));
        assert!(pair.acceptor.closed().to_string().ends_with("no more memory"));
    }
}

#[test]
fn c157_the_highest_common_version_is_used() {
    let versions = |min_version, max_version| Hello { min_version, max_version, ..hello() };
    assert_eq!(versions(1, 3).common_version(&versions(2, 7)), Some(3));
    assert_eq!(versions(1, 7).common_version(&versions(1, 2)), Some(2));
    assert_eq!(versions(1, 1).common_version(&versions(2, 2)), None);
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    mock.send(&versions(1, 900).encode());
    mock.send(&[0]);
    assert_eq!(mock.end.session.peer().map(|peer| peer.version), Some(1));
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    mock.send(&versions(40, 41).encode());
    let reason = mock.closed();
    assert_eq!(failure(&reason), (Step::Hello, Failure::NoCommonVersion));
    assert!(reason.text().starts_with("session speaks versions 1 to 1 of the protocol, mock versions 40 to 41;"));
}

#[test]
fn another_build_is_refused_unless_both_allow_it() {
    let build = BuildId::from_bytes([2; 16]);
    let (a, b) = disagree(SessionConfig { build, ..config("a") }, config("b"));
    assert_eq!(failure(&a), (Step::Hello, Failure::OtherBuild));
    assert_eq!(failure(&b), (Step::Hello, Failure::OtherBuild));
    for part in ["01010101", "02020202", "`Settings::allow_other_builds`"] {
        assert!(a.text().contains(part) && b.text().contains(part), "{a}");
    }
    let settings = Settings { allow_other_builds: true, ..Settings::default() };
    let (a, b) = disagree(SessionConfig { build, settings: settings.clone(), ..config("a") }, config("b"));
    assert_eq!(failure(&a), (Step::Verdict, Failure::RefusedByPeer(Refusal::OtherBuild)));
    assert_eq!(a.text(), b.text());
    let mut pair = Pair::new(
        SessionConfig { build, settings: settings.clone(), ..config("a") },
        SessionConfig { settings, ..config("b") },
    );
    pair.drive();
    assert_eq!(pair.acceptor.session.peer().map(|peer| peer.build), Some(build));
}

#[test]
fn only_the_wanted_worker_is_accepted() {
    let (first, second) = (WorkerId::from_bytes([1; 16]), WorkerId::from_bytes([2; 16]));
    let wants = |worker| SessionConfig { worker, ..config("a") };
    let is = |worker| SessionConfig { worker, ..config("b") };
    for wanted in [first, WorkerId::ANY] {
        let mut pair = Pair::new(wants(wanted), is(first));
        pair.drive();
        assert!(pair.acceptor.session.is_established());
    }
    let (a, b) = disagree(wants(second), is(first));
    assert_eq!(failure(&a), (Step::Verdict, Failure::RefusedByPeer(Refusal::UnknownWorker)));
    assert_eq!((failure(&b), a.closer()), ((Step::Hello, Failure::UnknownWorker), Closer::Remote));
    assert!(a.text().contains(&first.to_string()) && a.text().contains(&second.to_string()), "{a}");
}

#[test]
fn a_shared_key_has_to_be_proven() {
    let with = |label, key| SessionConfig { key, ..config(label) };
    let mut pair = Pair::new(with("a", Some([7; 32])), with("bb", Some([7; 32]))).with_pieces(vec![5]);
    pair.drive();
    assert!(pair.initiator.session.is_established() && pair.acceptor.session.is_established());
    let (a, b) = disagree(with("a", Some([7; 32])), with("bb", Some([8; 32])));
    assert_eq!(failure(&a), (Step::Verdict, Failure::AuthFailed));
    assert_eq!(failure(&b), (Step::Verdict, Failure::AuthFailed));
    assert_eq!(a.text(), "bb does not have the key of a; give both the same key");
    for (first, second) in [(None, Some([7; 32])), (Some([7; 32]), None)] {
        let (a, b) = disagree(with("a", first), with("bb", second));
        assert_eq!(failure(&a), (Step::Hello, Failure::AuthFailed));
        assert_eq!(failure(&b), (Step::Hello, Failure::AuthFailed));
    }
}

#[test]
fn a_proof_cannot_be_replayed_or_reflected() {
    let key = [7; 32];
    let config = SessionConfig { key: Some(key), ..config("session") };
    let own = Hello { auth: 1, ..hello() };
    let mut mock = Mock::silent(Side::Acceptor, config.clone());
    let acceptor = mock.end.write_all();
    let good = verdict(key, &own, &acceptor).encode();
    mock.send(&[own.encode(), good.clone()].concat());
    assert!(mock.end.session.is_established());
    // The same bytes to a session with another nonce.
    let mut mock = Mock::silent(Side::Acceptor, SessionConfig { nonce: [77; 16], ..config.clone() });
    mock.send(&[own.encode(), good].concat());
    assert_eq!(failure(&mock.end.closed()), (Step::Verdict, Failure::AuthFailed));
    // All that the session says, sent back to it.
    let mut mock = Mock::silent(Side::Acceptor, config);
    let hello = mock.end.write_all();
    mock.send(&hello);
    let verdict = mock.end.write_all();
    assert_eq!((verdict.len(), verdict[0]), (33, 0));
    mock.send(&verdict);
    assert_eq!(failure(&mock.end.closed()), (Step::Verdict, Failure::AuthFailed));
}

#[test]
fn nothing_of_a_call_leaves_before_the_peer_has_accepted() {
    let mut mock = Mock::silent(Side::Acceptor, config("session"));
    mock.send(&hello().encode());
    assert!(matches!(mock.end.session.open_call(&mut call("secret")), Err(OpenCallError::Full)));
    mock.send(&Verdict::Refuse(Refusal::Other(99), "bad day".to_owned()).encode());
    let reason = mock.end.closed();
    assert_eq!(failure(&reason), (Step::Verdict, Failure::RefusedByPeer(Refusal::Other(99))));
    assert!(!mock.end.write_all().windows(6).any(|window| window == b"secret"));
    assert_eq!(mock.end.session.open_call(&mut call("x")), Err(OpenCallError::Closed));
}
