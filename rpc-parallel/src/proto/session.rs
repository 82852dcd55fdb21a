//! The session's state, its inputs and its outputs.

use std::{
    collections::VecDeque,
    io::IoSlice,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut, buf::Limit};

use super::{
    Event, PeerInfo, SessionConfig, Side, StreamKey,
    closing::Graceful,
    deadlines::Deadlines,
    handshake::{Handshake, Progress},
    heartbeat::{Beat, Heartbeat},
    input::Input,
    lane::LaneState,
    local_calls::LocalCalls,
    one_way::{ReceivedOneWay, SentOneWay},
    output::Output,
    pool::Pool,
    receive::Received,
    remote_calls::RemoteCalls,
};
use crate::{
    settings::Settings,
    wire::{CloseKind, CloseReason, Frame, HandshakeFailure, Limits, MAX_VERSION, Payload},
};

/// The state of one connection. The [module](super) says how it is driven.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) settings: Settings,
    /// None once it is over.
    pub(super) handshake: Option<Handshake>,
    pub(super) peer: Option<PeerInfo>,
    /// What the peer allows; nothing before the handshake is over.
    pub(super) allowed: Limits,
    pub(super) input: Input,
    pub(super) output: Output,
    /// The memory of large messages that are through.
    pub(super) pool: Pool,
    pub(super) events: VecDeque<Event>,
    pub(super) local: LocalCalls,
    /// Below so many open calls another one may be made, as far as their number goes: none unless the connection is established
    /// and nobody closes it.
    pub(super) takes_calls: usize,
    pub(super) remote: RemoteCalls,
    pub(super) sent_one_way: SentOneWay,
    pub(super) received_one_way: ReceivedOneWay,
    pub(super) deadlines: Deadlines,
    pub(super) heartbeat: Option<Heartbeat>,
    /// The streams whose credit waits until the peer reads again.
    pub(super) owing: Vec<StreamKey>,
    /// Whether a call was refused for lack of room.
    pub(super) wants_vacancy: bool,
    pub(super) graceful: Option<Graceful>,
    pub(super) peer_closing: bool,
    pub(super) lane: LaneState,
    pub(super) closed: Option<CloseReason>,
    pub(super) last_heard: Instant,
    /// When the bytes came that are taken apart now.
    pub(super) received_at: Instant,
    /// Whether there may be a complete frame in the input.
    pub(super) unread: bool,
    /// Somebody has the input, see [`Run`](super::Run).
    pub(super) lent: bool,
    bytes_received: u64,
}

impl Session {
    /// A session that has its Hello to send.
    pub(crate) fn new(side: Side, mut config: SessionConfig, now: Instant) -> Self {
        let settings = std::mem::take(&mut config.settings).bounded();
        let handshake = Handshake::new(side, config, &settings, now);
        let mut output = Output::default();
        output.push_raw(handshake.hello());
        Self {
            received_one_way: ReceivedOneWay::new(
                settings.max_open_calls,
                settings.max_open_bytes,
                settings.max_message_size,
            ),
            settings,
            handshake: Some(handshake),
            peer: None,
            allowed: Limits::LEAST,
            input: Input::new(),
            output,
            pool: Pool::default(),
            events: VecDeque::new(),
            local: LocalCalls::default(),
            takes_calls: 0,
            remote: RemoteCalls::default(),
            sent_one_way: SentOneWay::default(),
            deadlines: Deadlines::default(),
            heartbeat: None,
            owing: Vec::new(),
            wants_vacancy: false,
            graceful: None,
            peer_closing: false,
            lane: LaneState::default(),
            closed: None,
            last_heard: now,
            received_at: now,
            unread: false,
            lent: false,
            bytes_received: 0,
        }
    }

    /// A session with a peer of which all is known beforehand: it runs the same program with the same settings, and the
    /// transport vouches that nobody else is there. Neither side greets the other.
    pub(crate) fn acquainted(side: Side, config: SessionConfig, label: String, now: Instant) -> Self {
        let (build, worker) = (config.build, config.worker);
        let mut session = Self::new(side, config, now);
        session.output = Output::default();
        let (limits, heartbeat) = (Limits::of(&session.settings), session.settings.heartbeat);
        session.establish(PeerInfo { build, worker, label, limits, heartbeat, version: MAX_VERSION }, now);
        session
    }

    /// Where the driver reads to: it appends to the buffer, up to the limit, which is never 0, and then calls
    /// [`handle_received`](Self::handle_received).
    pub(crate) fn input_buffer(&mut self) -> Limit<&mut BytesMut> {
        self.input.spare()
    }

    /// So many bytes were appended to the input buffer.
    pub(crate) fn handle_received(&mut self, now: Instant, bytes: usize) {
        self.bytes_received += bytes as u64;
        if bytes > 0 {
            self.last_heard = now;
            if let Some(heartbeat) = &mut self.heartbeat {
                heartbeat.heard();
            }
        }
        self.advance_handshake(now);
        self.received_at = now;
        self.unread = true;
        if self.is_closed() {
            // Nobody will look at it; the driver may read on until the end of file.
            self.input.clear();
            self.pool.clear();
        }
    }

    /// The peer will send nothing more.
    pub(crate) fn handle_eof(&mut self, _now: Instant) {
        match &self.handshake {
            Some(handshake) => {
                let step = handshake.step();
                self.lost(
                    CloseKind::HandshakeFailed(step, HandshakeFailure::Eof),
                    format!("the peer closed the connection before its {step} was complete"),
                );
            }
            None => self.lost(CloseKind::Eof, String::new()),
        }
    }

    /// Reading or writing failed. A driver whose writing failed should first read what is left: the peer may have
    /// said why it closed.
    pub(crate) fn handle_transport_error(&mut self, _now: Instant, text: String) {
        let kind = match &self.handshake {
            Some(handshake) => CloseKind::HandshakeFailed(handshake.step(), HandshakeFailure::Transport),
            None => CloseKind::Transport,
        };
        self.lost(kind, text);
    }

    /// The time that [`poll_timeout`](Self::poll_timeout) named has come, or any other.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.pool.expire(now);
        if self.is_closed() {
            return;
        }
        if let Some(handshake) = &self.handshake {
            if handshake.deadline.is_some_and(|deadline| deadline <= now) {
                let (step, limit) = (handshake.step(), self.settings.handshake_timeout);
                let text = format!("the peer's {step} did not come within {limit:?} (`Settings::handshake_timeout`)");
                self.fail_handshake(HandshakeFailure::Timeout, None, text);
            }
            return;
        }
        self.expire_calls(now);
        self.send_heartbeat(now);
        self.end_grace(now);
        self.after_change();
    }

    /// Queues a heartbeat if one is due, and judges nothing: for a thread that watches over a driver which cannot
    /// run.
    pub(crate) fn keep_alive(&mut self, now: Instant) {
        if !self.is_closed()
            && self.heartbeat.as_mut().is_some_and(|heartbeat| heartbeat.keep_alive(now))
            && self.output.is_empty()
        {
            self.output.push(Frame::Heartbeat, &[]);
        }
    }

    /// Whether there is something to write.
    #[inline]
    pub(crate) fn transmit(&self) -> bool {
        !self.output.is_empty()
    }

    /// Whether the peer reads too slowly for what is queued.
    #[inline]
    pub(crate) fn is_congested(&self) -> bool {
        self.output.is_congested()
    }

    /// Fills slices with what is to be written next, and returns how many it filled.
    pub(crate) fn transmit_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.output.slices(slices)
    }

    /// So many bytes of it were written.
    pub(crate) fn transmitted(&mut self, bytes: usize) {
        self.output.advance(bytes, &mut self.pool, self.last_heard);
        if !self.is_closed() && !self.output.is_congested() {
            self.send_owed();
            self.send_settled();
        }
    }

    /// Whether there is something for [`take_discarded`](Self::take_discarded).
    pub(crate) fn has_discarded(&self) -> bool {
        self.pool.has_foreign()
    }

    /// Bytes that were sent, or will not be, and that others have a part in. Whoever drops them may run code of theirs.
    pub(crate) fn take_discarded(&mut self) -> Vec<Bytes> {
        self.pool.take_foreign()
    }

    /// Keeps a payload that is not sent until it can be dropped.
    pub(crate) fn discard_payload(&mut self, payload: Payload) {
        self.pool.discard(payload);
    }

    /// What happened, in order; none if nothing did since. Frames are taken apart here one by one, so that their
    /// events do not pile up.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            match self.receive_frame() {
                Received::Event(event) => return Some(event),
                Received::Frame => {}
                Received::Nothing => return None,
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before. It may change with
    /// every input and command.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        if let Some(handshake) = &self.handshake {
            return handshake.deadline;
        }
        let heartbeat = self.heartbeat.as_ref().map(Heartbeat::next);
        let graceful = self.graceful.as_ref().and_then(|graceful| graceful.limit);
        [heartbeat, self.deadlines.next(), graceful, self.pool.due()].into_iter().flatten().min()
    }

    /// Whether the connection is over. What is left to transmit should still be written.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether this side takes part in no new calls: it closes gracefully, or is closed.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.graceful.is_some() || self.is_closed()
    }

    /// Whether the handshake has succeeded.
    #[inline]
    pub(crate) fn is_established(&self) -> bool {
        self.peer.is_some()
    }

    /// Why the connection is over.
    #[inline]
    pub(crate) fn close_reason(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }

    /// Who the peer is, once the handshake has succeeded.
    pub(crate) fn peer(&self) -> Option<&PeerInfo> {
        self.peer.as_ref()
    }

    /// The largest message that both sides allow to be sent.
    #[inline]
    pub(crate) fn message_limit(&self) -> usize {
        match &self.peer {
            Some(peer) => self.settings.max_message_size.min(peer.limits.max_message_size),
            None => self.settings.max_message_size,
        }
    }

    /// When something was last heard from the peer.
    pub(crate) fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// Whether a call of this side has no reply yet, or streams.
    #[inline]
    pub(crate) fn has_local_calls(&self) -> bool {
        self.local.len() > 0
    }

    /// Whether there is something received that was not understood yet.
    #[inline]
    pub(crate) fn has_input(&self) -> bool {
        !self.input.bytes().is_empty()
    }

    /// How many calls are open, in both directions.
    #[inline]
    pub(crate) fn open_calls(&self) -> usize {
        self.local.len() + self.remote.len()
    }

    /// All bytes that were received.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.bytes_received
    }

    /// All bytes that were written.
    #[inline]
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.output.sent()
    }

    /// The bytes that wait to be written.
    pub(crate) fn bytes_queued(&self) -> u64 {
        self.output.end() - self.output.sent()
    }

    fn advance_handshake(&mut self, now: Instant) {
        while let Some(handshake) = &mut self.handshake
            && self.closed.is_none()
        {
            match handshake.advance(&mut self.input) {
                Progress::Waiting => return,
                Progress::Accepted(verdict) => self.output.push_raw(&verdict),
                Progress::Failed(failed) => self.fail_handshake(failed.failure, failed.refusal, failed.text),
                Progress::Over(peer) => self.establish(peer, now),
            }
        }
    }

    fn establish(&mut self, peer: PeerInfo, now: Instant) {
        self.handshake = None;
        self.input.begin_frames();
        self.allowed = peer.limits;
        self.takes_calls = self.allowed.max_open_calls as usize;
        self.heartbeat = Heartbeat::new(self.settings.heartbeat, peer.heartbeat, now);
        self.peer = Some(peer);
        self.events.push_back(Event::Established);
        self.offer_vacancy();
    }

    fn send_heartbeat(&mut self, now: Instant) {
        let Some(heartbeat) = &mut self.heartbeat else { return };
        match heartbeat.beat(now) {
            Beat::Wait => {}
            // What waits to be written shows as much life, once it can be written.
            Beat::Send if !self.output.is_empty() => {}
            Beat::Send => self.output.push(Frame::Heartbeat, &[]),
            Beat::Lapse { unanswered, timeout } => {
                let silent = now.saturating_duration_since(self.last_heard);
                let text = format!(
                    "nothing was heard for {:?} while {unanswered} heartbeats were sent; the limit is {timeout:?} \
                     (`HeartbeatSettings::timeout`)",
                    Duration::from_millis(silent.as_millis() as u64)
                );
                self.shut(CloseKind::HeartbeatLapse, text);
            }
        }
    }
}
