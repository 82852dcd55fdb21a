//! The handshake: both sides say who they are, and then what they think of it.

use std::time::Instant;

use super::{PeerInfo, SessionConfig, Side, input::Input};
use crate::{
    id::WorkerId,
    settings::Settings,
    wire::{
        HandshakeFailure, HandshakeStep, Hello, HelloError, Key, Limits, MAX_VERSION, MIN_VERSION, Proof, Refusal,
        Verdict,
    },
};

/// One side of a handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    side: Side,
    allow_other_builds: bool,
    key: Option<Key>,
    own: Hello,
    own_bytes: Vec<u8>,
    /// The peer's Hello and its bytes, once accepted.
    peer: Option<(Hello, Vec<u8>)>,
    /// When the handshake has to be over.
    pub(super) deadline: Option<Instant>,
}

/// What came of the input.
#[derive(Debug)]
pub(super) enum Progress {
    /// More of it is needed.
    Waiting,
    /// The peer's Hello is accepted: this verdict has to be sent, and the input looked at again.
    Accepted(Vec<u8>),
    /// Both sides have accepted each other.
    Over(PeerInfo),
    /// There will be no connection.
    Failed(Failed),
}

/// Why there will be no connection.
#[derive(Debug)]
pub(super) struct Failed {
    /// The kind of it.
    pub(super) failure: HandshakeFailure,
    /// What the peer is told, if it can understand anything.
    pub(super) refusal: Option<Refusal>,
    /// The reason, for both sides.
    pub(super) text: String,
}

impl Handshake {
    /// A handshake that has to be over within the settings' time.
    pub(super) fn new(side: Side, config: SessionConfig, settings: &Settings, now: Instant) -> Self {
        let own = Hello {
            min_version: MIN_VERSION,
            max_version: MAX_VERSION,
            build: config.build,
            worker: config.worker,
            nonce: config.nonce,
            auth: u8::from(config.key.is_some()),
            limits: Limits::of(settings),
            heartbeat: settings.heartbeat,
            label: config.label,
        };
        let own_bytes = own.encode();
        Self {
            side,
            allow_other_builds: settings.allow_other_builds,
            key: config.key.map(Key::new),
            own,
            own_bytes,
            peer: None,
            deadline: now.checked_add(settings.handshake_timeout),
        }
    }

    /// What to send at once.
    pub(super) fn hello(&self) -> &[u8] {
        &self.own_bytes
    }

    /// What it waits for.
    pub(super) fn step(&self) -> HandshakeStep {
        if self.peer.is_some() { HandshakeStep::Verdict } else { HandshakeStep::Hello }
    }

    /// Looks at the input.
    pub(super) fn advance(&mut self, input: &mut Input) -> Progress {
        let progress = match self.peer {
            None => self.read_hello(input),
            Some(_) => self.read_verdict(input),
        };
        progress.unwrap_or_else(Progress::Failed)
    }

    fn read_hello(&mut self, input: &mut Input) -> Result<Progress, Failed> {
        let Some((hello, len)) = Hello::read(input.bytes()).map_err(Failed::unreadable)? else {
            return Ok(Progress::Waiting);
        };
        let bytes = input.bytes().get(..len).unwrap_or_default().to_vec();
        input.advance(len);
        self.judge(&hello)?;
        let proof = self.key.map(|key| key.prove(self.side.role(), self.hellos(&bytes)));
        self.peer = Some((hello, bytes));
        Ok(Progress::Accepted(Verdict::Accept(proof).encode()))
    }

    fn read_verdict(&self, input: &mut Input) -> Result<Progress, Failed> {
        let Some((peer, peer_bytes)) = &self.peer else { return Ok(Progress::Waiting) };
        let verdict = Verdict::read(input.bytes(), self.key.is_some()).map_err(Failed::garbage)?;
        let Some((verdict, len)) = verdict else { return Ok(Progress::Waiting) };
        input.advance(len);
        let proof = match verdict {
            Verdict::Accept(proof) => proof,
            Verdict::Refuse(code, text) => {
                let failure = HandshakeFailure::RefusedByPeer(code);
                return Err(Failed { failure, refusal: None, text });
            }
        };
        self.check_proof(peer, peer_bytes, proof)?;
        Ok(Progress::Over(PeerInfo {
            build: peer.build,
            worker: peer.worker,
            label: peer.label.clone(),
            limits: peer.limits,
            heartbeat: peer.heartbeat,
            version: self.own.common_version(peer).unwrap_or(MIN_VERSION),
        }))
    }

    fn judge(&self, peer: &Hello) -> Result<(), Failed> {
        let (own, us, them) = (&self.own, name(&self.own.label), name(&peer.label));
        if own.common_version(peer).is_none() {
            return Err(Failed::new(
                HandshakeFailure::NoCommonVersion,
                Refusal::NoCommonVersion,
                format!(
                    "{us} speaks versions {} to {} of the protocol, {them} versions {} to {}; \
                     build both with the same version of rpc-parallel",
                    own.min_version, own.max_version, peer.min_version, peer.max_version
                ),
            ));
        }
        if own.auth != peer.auth {
            let text = match (own.auth, peer.auth) {
                (1, 0) => format!("{us} asks for proof of a key, {them} has none; give both the same key"),
                (0, 1) => format!("{them} asks for proof of a key, {us} has none; give both the same key"),
                (_, auth) => format!("{them} asks for authentication of kind {auth}, which {us} does not know"),
            };
            return Err(Failed::new(HandshakeFailure::AuthFailed, Refusal::AuthFailed, text));
        }
        if own.build != peer.build && !self.allow_other_builds {
            return Err(Failed::new(
                HandshakeFailure::OtherBuild,
                Refusal::OtherBuild,
                format!(
                    "{us} is build {}, {them} is build {}; run the same executable on both sides, or allow other \
                     builds with `Settings::allow_other_builds`",
                    own.build, peer.build
                ),
            ));
        }
        if self.side == Side::Acceptor && peer.worker != WorkerId::ANY && peer.worker != own.worker {
            return Err(Failed::new(
                HandshakeFailure::UnknownWorker,
                Refusal::UnknownWorker,
                format!(
                    "{them} wants worker {}, but {us} is worker {}; the one that it wants has ended, and another \
                     has taken its address",
                    peer.worker, own.worker
                ),
            ));
        }
        Ok(())
    }

    fn check_proof(&self, peer: &Hello, peer_bytes: &[u8], proof: Option<Proof>) -> Result<(), Failed> {
        let Some(key) = self.key else { return Ok(()) };
        let hellos = self.hellos(peer_bytes);
        if proof.is_some_and(|proof| key.verify((!self.side).role(), hellos, &proof)) {
            return Ok(());
        }
        let (us, them) = (name(&self.own.label), name(&peer.label));
        let text = format!("{them} does not have the key of {us}; give both the same key");
        Err(Failed::new(HandshakeFailure::AuthFailed, Refusal::AuthFailed, text))
    }

    /// Both Hellos, the initiator's first.
    fn hellos<'a>(&'a self, peer: &'a [u8]) -> [&'a [u8]; 2] {
        match self.side {
            Side::Initiator => [&self.own_bytes, peer],
            Side::Acceptor => [peer, &self.own_bytes],
        }
    }
}

impl Failed {
    fn new(failure: HandshakeFailure, refusal: Refusal, text: String) -> Self {
        Self { failure, refusal: Some(refusal), text }
    }

    fn unreadable(error: HelloError) -> Self {
        let (failure, refusal) = match error {
            // Who speaks something else would not understand a refusal.
            HelloError::OtherProtocol(_) => (HandshakeFailure::Garbage, None),
            HelloError::Malformed(_) => (HandshakeFailure::Garbage, Some(Refusal::Garbage)),
            HelloError::TooBig(_) => (HandshakeFailure::TooBig, Some(Refusal::TooBig)),
        };
        Self { failure, refusal, text: error.to_string() }
    }

    fn garbage(text: &str) -> Self {
        Self { failure: HandshakeFailure::Garbage, refusal: None, text: text.to_owned() }
    }
}

fn name(label: &str) -> &str {
    if label.is_empty() { "a side without a name" } else { label }
}
