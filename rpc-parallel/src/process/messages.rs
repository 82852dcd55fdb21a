//! What goes over the control socket between a process and a child of it.
//!
//! ```text
//! parent -> child:  header  name  ticket  message*        descriptors ride on the header's first byte
//! child -> parent:  message*                              the first one is Hello; nobody reads before it must
//! child -> parent:  Ready                                 on the first connection, the first of the descriptors
//!
//! header   magic "rpc-prl\0" | version u8 | flags u8 | descriptors u16 | parent pid u32 | name length u16 |
//!          ticket length u64                              26 bytes, all numbers little-endian
//! message  kind u8 | length u32 | that many bytes
//! ```
//!
//! Both ends are copies of this library, but not always the same build of it: the version tells.

use std::fmt;

/// The largest ticket.
pub(crate) const MAX_TICKET: u64 = 2 << 30;
/// The largest message. It bounds what a peer gone wild can make the other side hold.
pub(crate) const MAX_MESSAGE: u32 = 16 << 20;
/// The most descriptors that Linux passes at once (`SCM_MAX_FD`); they all ride on one `sendmsg`.
pub(crate) const MAX_DESCRIPTORS: usize = 253;
/// The longest name: what the kernel passes on as part of an argument list without thought.
pub(crate) const MAX_NAME: usize = 4096;

const MAGIC: [u8; 8] = *b"rpc-prl\0";
const VERSION: u8 = 2;

/// The first bytes that a child reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) flags: Flags,
    pub(crate) descriptors: u16,
    pub(crate) parent: u32,
    pub(crate) name: u16,
    pub(crate) ticket: u64,
}

/// What the child needs to know about itself before it has its ticket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Flags {
    /// It goes on when its master is gone.
    pub(crate) survive: bool,
    /// The last descriptor is a pipe that ends when its master is gone.
    pub(crate) leashed: bool,
    /// Its stdout is its master's.
    pub(crate) stdout_of_master: bool,
    /// Its stderr is its master's, or a pipe to its master.
    pub(crate) stderr_of_master: bool,
}

impl Header {
    pub(crate) const SIZE: usize = 26;

    pub(crate) fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8] = VERSION;
        bytes[9] = self.flags.encode();
        bytes[10..12].copy_from_slice(&self.descriptors.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.parent.to_le_bytes());
        bytes[16..18].copy_from_slice(&self.name.to_le_bytes());
        bytes[18..26].copy_from_slice(&self.ticket.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; Self::SIZE]) -> Result<Self, HeaderError> {
        let [m0, m1, m2, m3, m4, m5, m6, m7, version, flags, d0, d1, p0, p1, p2, p3, n0, n1, ticket @ ..] = *bytes;
        if [m0, m1, m2, m3, m4, m5, m6, m7] != MAGIC {
            return Err(HeaderError::Magic);
        }
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let header = Self {
            flags: Flags::decode(flags),
            descriptors: u16::from_le_bytes([d0, d1]),
            parent: u32::from_le_bytes([p0, p1, p2, p3]),
            name: u16::from_le_bytes([n0, n1]),
            ticket: u64::from_le_bytes(ticket),
        };
        if header.ticket > MAX_TICKET
            || usize::from(header.name) > MAX_NAME
            || usize::from(header.descriptors) > MAX_DESCRIPTORS
        {
            return Err(HeaderError::Size);
        }
        Ok(header)
    }
}

impl Flags {
    fn encode(self) -> u8 {
        u8::from(self.survive)
            | u8::from(self.stdout_of_master) << 1
            | u8::from(self.stderr_of_master) << 2
            | u8::from(self.leashed) << 3
    }

    fn decode(bits: u8) -> Self {
        Self {
            survive: bits & 1 != 0,
            stdout_of_master: bits & 2 != 0,
            stderr_of_master: bits & 4 != 0,
            leashed: bits & 8 != 0,
        }
    }
}

/// Why some bytes are no header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HeaderError {
    Magic,
    Version(u8),
    Size,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("what comes in on descriptor 0 is not from rpc-parallel"),
            Self::Version(version) => {
                write!(f, "the master speaks version {version} of the control socket, this program {VERSION}")
            }
            Self::Size => f.write_str("the master announces more than is allowed"),
        }
    }
}

/// What a message is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// From the child: it is a worker, and reads its ticket.
    Hello,
    /// From the child: it serves. What there is to say stands on the first connection; on the control socket it is empty.
    Ready,
    /// From the child: it cannot serve, and ends.
    Failed,
    /// From the child: anything later.
    Note,
    /// To the child: end well.
    Shutdown,
}

impl Kind {
    fn encode(self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::Ready => 2,
            Self::Failed => 3,
            Self::Note => 4,
            Self::Shutdown => 64,
        }
    }

    fn decode(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Ready,
            3 => Self::Failed,
            4 => Self::Note,
            64 => Self::Shutdown,
            _ => return None,
        })
    }
}

/// A whole message.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// The bytes of a message. One that is too large is cut: what goes here is a reply of a few hundred bytes, or the
/// text of an error, of which the beginning is better than nothing.
pub(crate) fn encode(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[..bytes.len().min(MAX_MESSAGE as usize)];
    let mut message = Vec::with_capacity(Head::SIZE + bytes.len());
    message.push(kind.encode());
    message.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    message.extend_from_slice(bytes);
    message
}

/// What a message begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) length: u32,
}

impl Head {
    pub(crate) const SIZE: usize = 5;

    pub(crate) fn decode([kind, l0, l1, l2, l3]: [u8; Self::SIZE]) -> Result<Self, BadMessage> {
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let kind = Kind::decode(kind).filter(|_| length <= MAX_MESSAGE).ok_or(BadMessage)?;
        Ok(Self { kind, length })
    }
}

/// Finds messages in what was read. It holds at most one incomplete message, and never more bytes than arrived.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
}

impl Splitter {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if it is there.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, BadMessage> {
        let Some((&head, rest)) = self.buffer.split_first_chunk() else { return Ok(None) };
        let Head { kind, length } = Head::decode(head)?;
        let Some(bytes) = rest.get(..length as usize) else { return Ok(None) };
        let bytes = bytes.to_vec();
        self.buffer.drain(..Head::SIZE + bytes.len());
        Ok(Some(Message { kind, bytes }))
    }
}

/// The peer sent no message of this protocol, or one over the limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BadMessage;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_a_fixed_layout() {
        let flags = Flags { survive: true, leashed: false, stdout_of_master: false, stderr_of_master: true };
        let header = Header { flags, descriptors: 2, parent: 0x01020304, name: 7, ticket: 0x1122 };
        let bytes = header.encode();
        assert_eq!(&bytes, b"rpc-prl\0\x02\x05\x02\0\x04\x03\x02\x01\x07\0\x22\x11\0\0\0\0\0\0");
        assert_eq!(Header::decode(&bytes), Ok(header));
    }

    #[test]
    fn a_header_over_the_limits_is_refused() {
        let header = Header { flags: Flags::default(), descriptors: 0, parent: 1, name: 0, ticket: MAX_TICKET + 1 };
        assert_eq!(Header::decode(&header.encode()), Err(HeaderError::Size));
        let header = Header { ticket: 0, descriptors: 254, ..header };
        assert_eq!(Header::decode(&header.encode()), Err(HeaderError::Size));
        assert_eq!(Header::decode(b"GET / HTTP/1.1\r\nHost: exam"), Err(HeaderError::Magic));
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let mut all = encode(Kind::Hello, b"");
        all.extend(encode(Kind::Note, b"abc"));
        for cut in 0..all.len() {
            let mut splitter = Splitter::default();
            let mut found = Vec::new();
            for part in [&all[..cut], &all[cut..]] {
                splitter.push(part);
                while let Some(message) = splitter.next().unwrap() {
                    found.push((message.kind, message.bytes));
                }
            }
            assert_eq!(found, [(Kind::Hello, vec![]), (Kind::Note, b"abc".to_vec())]);
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused_before_it_arrives() {
        let mut splitter = Splitter::default();
        splitter.push(&[4, 1, 0, 0, 1]);
        assert_eq!(splitter.next(), Err(BadMessage));
        let mut splitter = Splitter::default();
        splitter.push(&[9, 0, 0, 0, 0]);
        assert_eq!(splitter.next(), Err(BadMessage));
    }
}
