//! Random bytes, and good bytes with some of them changed.

use proptest::prelude::*;

use super::{
    super::*,
    mock::{Mock, hello},
    pair::{batch, call, config},
};
use crate::{
    id::{CallId, FunctionId},
    settings::Settings,
    wire::{CallHead, CloseKind, Frame, Status, Verdict},
};

/// Small limits, so that the bound which `End` checks means something.
fn settings() -> Settings {
    Settings {
        max_message_size: 2000,
        stream_window: 1024,
        max_open_calls: 4,
        max_open_bytes: 4000,
        ..Settings::default()
    }
}

fn frame() -> impl Strategy<Value = (Frame, Vec<u8>)> {
    let id = || (0..5_u32).prop_map(CallId);
    let status = || prop_oneof![Just(Status::Ok), Just(Status::App), Just(Status::TooBig)];
    let payload = || proptest::collection::vec(any::<u8>(), 0..40);
    let call = (id(), any::<bool>(), 0..3_u8, payload()).prop_map(|(call, one_way, uploads, payload)| {
        let call = if one_way { CallId(0) } else { call };
        let uploads = if one_way { 0 } else { uploads };
        let function = FunctionId::from_raw(1);
        (Frame::Call(CallHead { call, function, one_way, deadline: None, trace: None, uploads }), payload)
    });
    let bare = |frame| (frame, Vec::new());
    prop_oneof![
        4 => call,
        2 => (id(), status(), any::<bool>(), payload())
            .prop_map(|(call, status, download, payload)| (Frame::Reply { call, status, download }, payload)),
        1 => id().prop_map(move |call| bare(Frame::Cancel { call })),
        2 => (id(), 0..3_u8, 0..600_usize)
            .prop_map(|(call, stream, size)| (Frame::Items { call, stream, size: 0 }, batch(&[&vec![0; size]]))),
        2 => (id(), 0..3_u8, 1..300_u32, 0..5_usize)
            .prop_map(|(call, stream, size, count)| (Frame::Items { call, stream, size }, vec![0; size as usize * count])),
        2 => (id(), 0..3_u8, status(), payload())
            .prop_map(|(call, stream, status, payload)| (Frame::End { call, stream, status }, payload)),
        1 => (id(), 0..3_u8, any::<u64>())
            .prop_map(move |(call, stream, bytes)| bare(Frame::Credit { call, stream, bytes })),
        1 => (id(), 0..3_u8).prop_map(move |(call, stream)| bare(Frame::Stop { call, stream })),
        1 => id().prop_map(move |call| bare(Frame::Done { call })),
        1 => (0..3_u64, 0..9_u64).prop_map(move |(calls, bytes)| bare(Frame::Settled { calls, bytes })),
        1 => Just(bare(Frame::Heartbeat)),
        1 => Just(bare(Frame::Closing)),
        1 => payload().prop_map(|text| (Frame::Close { kind: CloseKind::Other }, text)),
    ]
}

/// What a handler would do with the events, so that more of the session is reached.
fn serve(mock: &mut Mock) {
    for event in mock.end.take() {
        match event {
            Event::Called { one_way: true, payload, .. } => mock.end.session.settle_one_way(payload.len()),
            Event::Called { call, uploads, .. } if call.0 % 2 == 0 => {
                let _ = mock.end.session.reply(call, Status::Ok, Vec::new(), uploads > 0);
            }
            Event::Items { key, items } => mock.end.session.consumed(key, items.bytes.len()),
            Event::Closed(_) => mock.end.events.push(event),
            _ => {}
        }
    }
}

fn connected() -> Mock {
    let mut mock = Mock::connected(settings());
    for uploads in 0..3 {
        mock.end.session.open_call(&mut OpenCall { uploads, ..call("x") }).expect("there is room");
    }
    mock.end.write_all();
    mock
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// No bytes at all can make a session panic, or take more memory than its bound.
    #[test]
    fn random_bytes_do_no_harm(bytes: Vec<u8>, handshake: bool) {
        let mut mock = if handshake { Mock::silent(Side::Initiator, config("session")) } else { connected() };
        mock.send(&bytes);
        serve(&mut mock);
        mock.end.session.handle_eof(mock.now);
        prop_assert!(mock.end.session.is_closed());
    }

    /// Nor can a Hello with some bytes changed.
    #[test]
    fn a_changed_hello_does_no_harm(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = [hello().encode(), Verdict::Accept(None).encode()].concat();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let mut mock = Mock::silent(Side::Acceptor, config("session"));
        mock.send(&bytes);
        serve(&mut mock);
    }

    /// Nor can frames in any order, whole or with some bytes changed.
    #[test]
    fn frames_in_any_order_do_no_harm(
        frames in proptest::collection::vec(frame(), 0..60),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        reads: bool,
    ) {
        let mut mock = connected();
        let mut all = Vec::new();
        for (frame, payload) in frames {
            let start = all.len();
            frame.encode(payload.len(), &mut all);
            all.extend_from_slice(&payload);
            if changes.is_empty() {
                mock.send(&all[start..]);
                serve(&mut mock);
                if reads {
                    mock.end.write_all();
                }
            }
        }
        if !changes.is_empty() && !all.is_empty() {
            for (index, byte) in changes {
                let index = index.index(all.len());
                all[index] = byte;
            }
            mock.send(&all);
            serve(&mut mock);
        }
        prop_assert!(mock.end.session.remote.len() <= 4);
        prop_assert!(mock.end.session.bytes_queued() < 20_000);
    }
}
