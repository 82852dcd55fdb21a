//! Two sessions and a link between them.

use std::{
    io::IoSlice,
    time::{Duration, Instant},
};

use bytes::{BufMut, Bytes};

use super::super::*;
use crate::{
    id::{BuildId, CallId, FunctionId, WorkerId},
    settings::Settings,
    wire::{CloseReason, FRAME_ALLOWANCE, HELLO_LIMIT, Items, Payload, Status, push_item, take_item},
};

/// One end of a [`Pair`], or the only end against a mock peer.
#[derive(Debug)]
pub(super) struct End {
    pub(super) session: Session,
    /// All events that were not looked at yet.
    pub(super) events: Vec<Event>,
    settings: Settings,
    turn: bool,
}

/// Two sessions that talk to each other.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) initiator: End,
    pub(super) acceptor: End,
    pub(super) now: Instant,
    start: Instant,
    /// The sizes of the pieces that the link delivers, used in turn.
    pieces: Vec<usize>,
    piece: usize,
}

/// What both sides of most tests are made with.
pub(super) fn config(label: &str) -> SessionConfig {
    SessionConfig {
        settings: Settings::default(),
        build: BuildId::from_bytes([1; 16]),
        worker: WorkerId::ANY,
        key: None,
        nonce: [label.len() as u8; 16],
        label: label.to_owned(),
    }
}

/// A call of nothing special.
pub(super) fn call(payload: impl Into<Vec<u8>>) -> OpenCall {
    OpenCall {
        function: FunctionId::from_raw(7),
        one_way: false,
        deadline: None,
        trace: None,
        uploads: 0,
        payload: payload.into(),
        bulk: Bytes::new(),
        tag: 0,
    }
}

/// A batch of these items.
pub(super) fn batch(items: &[&[u8]]) -> Vec<u8> {
    let mut batch = Vec::new();
    for item in items {
        push_item(&mut batch, item);
    }
    batch
}

/// The stream of a call of one's own.
pub(super) fn local(call: CallId, stream: u8) -> StreamKey {
    StreamKey { side: CallSide::Local, call, stream }
}

/// The stream of a call of the peer.
pub(super) fn remote(call: CallId, stream: u8) -> StreamKey {
    StreamKey { side: CallSide::Remote, call, stream }
}

impl End {
    pub(super) fn new(side: Side, config: SessionConfig, now: Instant) -> Self {
        let settings = config.settings.clone().bounded();
        Self { session: Session::new(side, config, now), events: Vec::new(), settings, turn: false }
    }

    /// Reads as a driver does, in pieces that fit into the buffer.
    pub(super) fn read(&mut self, now: Instant, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut buffer = self.session.input_buffer();
            let room = buffer.remaining_mut();
            assert!(room > 0, "there is always room to read into");
            let capacity = buffer.get_ref().capacity();
            let (piece, rest) = bytes.split_at(room.min(bytes.len()));
            buffer.put_slice(piece);
            assert_eq!(buffer.get_ref().capacity(), capacity, "what is read fits");
            self.session.handle_received(now, piece.len());
            self.collect();
            self.check_memory();
            bytes = rest;
        }
    }

    /// Takes up to so many bytes of what the session wants to write.
    pub(super) fn write(&mut self, limit: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 3];
        let count = self.session.transmit_slices(&mut slices);
        let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
        bytes.truncate(limit);
        assert_eq!(bytes.is_empty(), !self.session.transmit());
        self.session.transmitted(bytes.len());
        bytes
    }

    /// All that the session wants to write.
    pub(super) fn write_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while self.session.transmit() {
            all.extend(self.write(usize::MAX));
        }
        all
    }

    pub(super) fn collect(&mut self) {
        loop {
            // Frames that a driver takes in runs are sometimes taken one by one, as those are that are not short.
            self.turn = !self.turn;
            if self.turn {
                let Self { session, events, .. } = self;
                session.take_replies(|call, tag, status, reply, len| {
                    let mut payload = Payload::default();
                    payload.fill(reply, (0, len));
                    events.push(Event::Replied { call, tag, status, payload, download: false });
                });
                let mut run = Run::default();
                if session.lend(&mut run) {
                    while let Some((call, function, bytes, len)) = run.next() {
                        let payload = bytes[..len].to_vec().into();
                        let (deadline, trace) = (None, None);
                        let (one_way, uploads) = (false, 0);
                        if session.open_lent(call, len).is_none() {
                            break;
                        }
                        events.push(Event::Called { call, function, one_way, deadline, trace, uploads, payload });
                    }
                    session.take_back(&mut run);
                }
            }
            let Some(event) = self.session.poll_event() else { return };
            assert!(!self.events.iter().any(|event| matches!(event, Event::Closed(_))), "{event:?} after the end");
            self.events.push(event);
        }
    }

    /// The events since the last look.
    pub(super) fn take(&mut self) -> Vec<Event> {
        self.collect();
        std::mem::take(&mut self.events)
    }

    /// The only event since the last look.
    pub(super) fn take_one(&mut self) -> Event {
        let mut events = self.take();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The reason for which the session is closed.
    pub(super) fn closed(&mut self) -> CloseReason {
        match self.take().pop() {
            Some(Event::Closed(reason)) => {
                assert_eq!(self.session.close_reason(), Some(&reason));
                reason
            }
            other => panic!("not closed: {other:?}"),
        }
    }

    /// The bound that docs/protocol.md states.
    fn check_memory(&self) {
        let bound = match self.session.handshake {
            Some(_) => HELLO_LIMIT,
            None => 2 * (self.settings.max_message_size + FRAME_ALLOWANCE) + (1 << 20),
        };
        let capacity = self.session.input.capacity();
        assert!(capacity <= bound, "{capacity} bytes of input, the bound is {bound}");
    }
}

impl Pair {
    pub(super) fn new(initiator: SessionConfig, acceptor: SessionConfig) -> Self {
        let now = Instant::now();
        Self {
            initiator: End::new(Side::Initiator, initiator, now),
            acceptor: End::new(Side::Acceptor, acceptor, now),
            now,
            start: now,
            pieces: vec![usize::MAX],
            piece: 0,
        }
    }

    /// A pair whose handshake is over, both sides with these settings.
    pub(super) fn connected(settings: Settings) -> Self {
        let config = |label| SessionConfig { settings: settings.clone(), ..config(label) };
        let mut pair = Self::new(config("initiator"), config("acceptor"));
        pair.drive();
        assert!(matches!(pair.initiator.take_one(), Event::Established));
        assert!(matches!(pair.acceptor.take_one(), Event::Established));
        pair
    }

    /// The same with a link that delivers pieces of these sizes.
    pub(super) fn with_pieces(mut self, pieces: Vec<usize>) -> Self {
        self.pieces = pieces;
        self
    }

    /// Lets everything arrive.
    pub(super) fn drive(&mut self) {
        while self.deliver_to_acceptor() | self.deliver_to_initiator() {}
        self.initiator.collect();
        self.acceptor.collect();
    }

    /// Delivers one piece. Says whether there was something.
    pub(super) fn deliver_to_acceptor(&mut self) -> bool {
        let bytes = self.initiator.write(next(&self.pieces, &mut self.piece));
        self.acceptor.read(self.now, &bytes);
        !bytes.is_empty()
    }

    /// Delivers one piece. Says whether there was something.
    pub(super) fn deliver_to_initiator(&mut self) -> bool {
        let bytes = self.acceptor.write(next(&self.pieces, &mut self.piece));
        self.initiator.read(self.now, &bytes);
        !bytes.is_empty()
    }

    /// Lets time pass on both sides, as their timers want, and everything arrive. To this many seconds from the
    /// start.
    pub(super) fn run_to(&mut self, seconds: f64) {
        let until = self.start + Duration::from_secs_f64(seconds);
        loop {
            self.drive();
            let next =
                [&self.initiator, &self.acceptor].into_iter().filter_map(|end| end.session.poll_timeout()).min();
            match next {
                Some(next) if next <= until => {
                    self.now = self.now.max(next);
                    self.initiator.session.handle_timeout(self.now);
                    self.acceptor.session.handle_timeout(self.now);
                }
                _ => break,
            }
        }
        self.now = until;
    }

    /// Makes a call from the initiator, lets it arrive, and returns its number.
    pub(super) fn call(&mut self, mut call: OpenCall) -> CallId {
        let id = self.initiator.session.open_call(&mut call).expect("there is room");
        self.drive();
        match self.acceptor.take_one() {
            Event::Called { call, .. } => assert_eq!(call, id),
            other => panic!("{other:?}"),
        }
        id
    }

    /// Replies from the acceptor.
    pub(super) fn reply(&mut self, id: CallId, payload: &[u8], download: bool) {
        self.acceptor.session.reply(id, Status::Ok, payload.to_vec(), download).expect("it is small enough");
    }

    /// That nothing is open and nothing is left of anything.
    pub(super) fn assert_quiet(&mut self) {
        self.drive();
        for end in [&mut self.initiator, &mut self.acceptor] {
            assert!(!end.session.is_closed(), "{:?}", end.session.close_reason());
            assert_eq!(end.session.open_calls(), 0);
            assert_eq!(end.session.local.bytes(), 0);
            assert!(end.session.owing.is_empty());
            assert!(!end.session.transmit());
        }
    }
}

/// The items of an event's batch.
pub(super) fn items(mut batch: Items) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| take_item(&mut batch)).map(|item| item.to_vec()).collect()
}

fn next(pieces: &[usize], piece: &mut usize) -> usize {
    *piece += 1;
    pieces[*piece % pieces.len()].max(1)
}
