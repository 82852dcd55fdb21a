//! What a side says to its peer's Hello. Frozen like that.

use super::{Proof, Refusal, cut_text};

/// The longest text of a refusal; the rest of a longer one is cut off.
pub(crate) const REFUSAL_TEXT_LIMIT: usize = 2048;

/// What a side says to its peer's Hello.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Frames follow. With a shared key there is a proof of having it.
    Accept(Option<Proof>),
    /// Nothing follows.
    Refuse(Refusal, String),
}

impl Verdict {
    /// The bytes of the verdict.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Accept(None) => vec![0],
            Self::Accept(Some(proof)) => [&[0], &proof.0[..]].concat(),
            Self::Refuse(code, text) => {
                let text = cut_text(text, REFUSAL_TEXT_LIMIT).as_bytes();
                let mut bytes = vec![1, code.to_byte()];
                bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
                bytes.extend_from_slice(text);
                bytes
            }
        }
    }

    /// Reads a verdict off the front of the input, and says how many bytes it had. None as long as it is incomplete,
    /// an error if it is none.
    pub(crate) fn read(input: &[u8], with_proof: bool) -> Result<Option<(Self, usize)>, &'static str> {
        match input {
            [] => Ok(None),
            [0, ..] if !with_proof => Ok(Some((Self::Accept(None), 1))),
            [0, rest @ ..] => Ok(rest.first_chunk().map(|proof| (Self::Accept(Some(Proof(*proof))), 33))),
            [1, code, low, high, rest @ ..] => {
                let len = usize::from(u16::from_le_bytes([*low, *high]));
                if len > REFUSAL_TEXT_LIMIT {
                    return Err("the text of the peer's refusal is too long");
                }
                let Some(text) = rest.get(..len) else { return Ok(None) };
                let text = String::from_utf8_lossy(text).into_owned();
                Ok(Some((Self::Refuse(Refusal::from_byte(*code), text), 4 + len)))
            }
            [1, ..] => Ok(None),
            _ => Err("the peer's verdict is neither yes nor no"),
        }
    }
}
