//! Random work of two honest sides.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    app::{Action, App},
    pair::Pair,
};
use crate::settings::{HeartbeatSettings, Settings};

/// One step of a test.
#[derive(Clone, Debug)]
enum Operation {
    Act { initiator: bool, action: Action },
    Deliver { to_acceptor: bool },
    Wait { millis: u64 },
}

fn action() -> impl Strategy<Value = Action> {
    let pick = || 0..50_usize;
    prop_oneof![
        4 => (0..1024_usize, 0..3_u8, prop::bool::weighted(0.2), prop::option::weighted(0.2, 0..40_u64))
            .prop_map(|(size, uploads, one_way, deadline)| Action::Call { size, uploads, one_way, deadline }),
        4 => (pick(), any::<bool>()).prop_map(|(pick, download)| Action::Reply { pick, download }),
        6 => (pick(), 0..20_usize, 0..900_usize).prop_map(|(pick, items, size)| Action::Send { pick, items, size }),
        3 => pick().prop_map(|pick| Action::End { pick }),
        1 => pick().prop_map(|pick| Action::Stop { pick }),
        4 => pick().prop_map(|pick| Action::Consume { pick }),
        1 => pick().prop_map(|pick| Action::Cancel { pick }),
        2 => Just(Action::Settle),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (any::<bool>(), action()).prop_map(|(initiator, action)| Operation::Act { initiator, action }),
        4 => any::<bool>().prop_map(|to_acceptor| Operation::Deliver { to_acceptor }),
        1 => (0..30_u64).prop_map(|millis| Operation::Wait { millis }),
    ]
}

fn settings() -> Settings {
    Settings {
        max_message_size: 1024,
        stream_window: 1024,
        max_open_calls: 6,
        max_open_bytes: 3000,
        heartbeat: Some(HeartbeatSettings {
            send_every: Duration::from_millis(20),
            timeout: Duration::from_secs(1000),
        }),
        ..Settings::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whatever two honest sides do, in whatever pieces their bytes arrive: neither finds fault with the other, every
    /// call that is not cancelled gets exactly one reply, every item that is wanted arrives once and in order, no
    /// reader holds more than its window and one item, and in the end no number is in use.
    #[test]
    fn honest_sides_get_along(
        operations in prop::collection::vec(operation(), 0..400),
        pieces in prop::collection::vec(prop_oneof![1..20_usize, 20..3000_usize], 1..8),
    ) {
        let mut pair = Pair::connected(settings()).with_pieces(pieces);
        let (mut initiator, mut acceptor) = (App::default(), App::default());
        for operation in operations {
            match operation {
                Operation::Act { initiator: true, action } => initiator.act(&mut pair.initiator, action),
                Operation::Act { initiator: false, action } => acceptor.act(&mut pair.acceptor, action),
                Operation::Deliver { to_acceptor: true } => {
                    pair.deliver_to_acceptor();
                }
                Operation::Deliver { to_acceptor: false } => {
                    pair.deliver_to_initiator();
                }
                Operation::Wait { millis } => {
                    pair.now += Duration::from_millis(millis);
                    pair.initiator.session.handle_timeout(pair.now);
                    pair.acceptor.session.handle_timeout(pair.now);
                }
            }
            initiator.observe(&mut pair.initiator);
            acceptor.observe(&mut pair.acceptor);
        }
        loop {
            pair.drive();
            initiator.observe(&mut pair.initiator);
            acceptor.observe(&mut pair.acceptor);
            if !(initiator.finish(&mut pair.initiator) | acceptor.finish(&mut pair.acceptor)) {
                break;
            }
        }
        pair.assert_quiet();
        initiator.assert_done();
        acceptor.assert_done();
    }
}
