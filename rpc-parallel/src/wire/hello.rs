//! The first thing that each side sends. Its form is frozen: whatever versions ever meet, they can read it.

use std::time::Duration;

use super::{Limits, cut_text};
use crate::{
    id::{BuildId, WorkerId},
    settings::HeartbeatSettings,
};

/// The longest Hello, all of it counted.
pub(crate) const HELLO_LIMIT: usize = 4096;

/// What every connection starts with. The first byte is no ASCII, and the last three do not survive a conversion of
/// line ends, so that a transport that is not clean is noticed at once.
const MAGIC: [u8; 8] = *b"\x89RPCP\r\n\x1a";

/// The bytes before the body: the magic and the body's length.
const PREFIX: usize = MAGIC.len() + 2;

/// The longest label; the rest of a longer one is cut off.
const LABEL_LIMIT: usize = 512;

/// How a side introduces itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hello {
    /// The oldest version that it speaks.
    pub(crate) min_version: u16,
    /// The newest version that it speaks.
    pub(crate) max_version: u16,
    /// The build of its program.
    pub(crate) build: BuildId,
    /// The initiator: which worker it wants. The acceptor: which one it is.
    pub(crate) worker: WorkerId,
    /// Random bytes, never used again.
    pub(crate) nonce: [u8; 16],
    /// 0: the transport vouches for the peer. 1: its verdict has a proof that it has the key.
    pub(crate) auth: u8,
    /// What it allows its peer to send.
    pub(crate) limits: Limits,
    /// What it expects of its peer, if it expects signs of life at all.
    pub(crate) heartbeat: Option<HeartbeatSettings>,
    /// Who it is, for people.
    pub(crate) label: String,
}

/// Why a Hello cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum HelloError {
    /// Something else was sent.
    #[error("the peer does not speak the rpc-parallel protocol: it sent \"{0}\"")]
    OtherProtocol(String),
    /// The rest of it is wrong.
    #[error("the peer's hello is malformed: {0}")]
    Malformed(&'static str),
    /// It is above [`HELLO_LIMIT`].
    #[error("the peer's hello has {0} bytes, more than the limit of {HELLO_LIMIT} bytes")]
    TooBig(usize),
}

impl Hello {
    /// The bytes of the Hello.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(256);
        body.extend_from_slice(&self.min_version.to_le_bytes());
        body.extend_from_slice(&self.max_version.to_le_bytes());
        body.extend_from_slice(&self.build.to_bytes());
        body.extend_from_slice(&self.worker.to_bytes());
        body.extend_from_slice(&self.nonce);
        body.push(self.auth);
        put_extension(&mut body, tag::MAX_MESSAGE_SIZE, &(self.limits.max_message_size as u64).to_le_bytes());
        put_extension(&mut body, tag::STREAM_WINDOW, &(self.limits.stream_window as u64).to_le_bytes());
        put_extension(&mut body, tag::MAX_OPEN_CALLS, &u64::from(self.limits.max_open_calls).to_le_bytes());
        put_extension(&mut body, tag::MAX_OPEN_BYTES, &(self.limits.max_open_bytes as u64).to_le_bytes());
        if let Some(heartbeat) = self.heartbeat {
            put_extension(&mut body, tag::SEND_EVERY, &micros(heartbeat.send_every).to_le_bytes());
            put_extension(&mut body, tag::TIMEOUT, &micros(heartbeat.timeout).to_le_bytes());
        }
        put_extension(&mut body, tag::LABEL, cut_text(&self.label, LABEL_LIMIT).as_bytes());
        let mut bytes = Vec::with_capacity(PREFIX + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(body.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    /// Reads a Hello off the front of the input, and says how many bytes it had. None as long as it is incomplete;
    /// what is no Hello fails with its first wrong byte.
    pub(crate) fn read(input: &[u8]) -> Result<Option<(Self, usize)>, HelloError> {
        if input.iter().zip(&MAGIC).any(|(got, expected)| got != expected) {
            let shown = input.get(..32).unwrap_or(input);
            return Err(HelloError::OtherProtocol(shown.escape_ascii().to_string()));
        }
        let Some((prefix, rest)) = input.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let len = usize::from(u16::from_le_bytes([prefix[8], prefix[9]]));
        if PREFIX + len > HELLO_LIMIT {
            return Err(HelloError::TooBig(PREFIX + len));
        }
        let Some(body) = rest.get(..len) else { return Ok(None) };
        Ok(Some((Self::read_body(body).map_err(HelloError::Malformed)?, PREFIX + len)))
    }

    fn read_body(mut body: &[u8]) -> Result<Self, &'static str> {
        let rest = &mut body;
        let mut hello = Self {
            min_version: u16::from_le_bytes(take(rest)?),
            max_version: u16::from_le_bytes(take(rest)?),
            build: BuildId::from_bytes(take(rest)?),
            worker: WorkerId::from_bytes(take(rest)?),
            nonce: take(rest)?,
            auth: take::<1>(rest)?[0],
            limits: Limits::LEAST,
            heartbeat: None,
            label: String::new(),
        };
        let (mut send_every, mut timeout) = (None, None);
        while !rest.is_empty() {
            let [tag] = take(rest)?;
            let len = usize::from(u16::from_le_bytes(take(rest)?));
            let (value, left) = rest.split_at_checked(len).ok_or("an extension is incomplete")?;
            *rest = left;
            match tag {
                tag::MAX_MESSAGE_SIZE => hello.limits.max_message_size = size(value, (1 << 31) - 1)?,
                tag::STREAM_WINDOW => hello.limits.stream_window = size(value, 1 << 30)?,
                tag::MAX_OPEN_CALLS => hello.limits.max_open_calls = size(value, 1 << 24)? as u32,
                tag::MAX_OPEN_BYTES => hello.limits.max_open_bytes = size(value, 1 << 62)?,
                tag::SEND_EVERY => send_every = Some(Duration::from_micros(number(value)?)),
                tag::TIMEOUT => timeout = Some(Duration::from_micros(number(value)?)),
                tag::LABEL => hello.label = cut_text(&String::from_utf8_lossy(value), LABEL_LIMIT).to_owned(),
                // A later version's; it cannot be needed for reading this one.
                _ => {}
            }
        }
        if let (Some(send_every), Some(timeout)) = (send_every, timeout) {
            hello.heartbeat = Some(HeartbeatSettings { send_every, timeout });
        }
        Ok(hello)
    }

    /// The newest version that both sides speak.
    pub(crate) fn common_version(&self, other: &Self) -> Option<u16> {
        let version = self.max_version.min(other.max_version);
        (version >= self.min_version.max(other.min_version)).then_some(version)
    }
}

/// The tags of the extensions.
mod tag {
    pub(super) const MAX_MESSAGE_SIZE: u8 = 1;
    pub(super) const STREAM_WINDOW: u8 = 2;
    pub(super) const MAX_OPEN_CALLS: u8 = 3;
    pub(super) const MAX_OPEN_BYTES: u8 = 4;
    pub(super) const SEND_EVERY: u8 = 5;
    pub(super) const TIMEOUT: u8 = 6;
    pub(super) const LABEL: u8 = 7;
}

fn put_extension(body: &mut Vec<u8>, tag: u8, value: &[u8]) {
    body.push(tag);
    body.extend_from_slice(&(value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], &'static str> {
    let (array, left) = rest.split_first_chunk().ok_or("it is incomplete")?;
    *rest = left;
    Ok(*array)
}

fn number(value: &[u8]) -> Result<u64, &'static str> {
    Ok(u64::from_le_bytes(value.try_into().map_err(|_| "a number has not 8 bytes")?))
}

/// A limit of the peer's, and no more than this side would ever use of it.
fn size(value: &[u8], most: u64) -> Result<usize, &'static str> {
    Ok(usize::try_from(number(value)?.min(most)).unwrap_or(usize::MAX))
}
