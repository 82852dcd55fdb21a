//! What travels on a connection: the handshake, the frames, and the reasons for closing. `docs/protocol.md` describes
//! every byte of it.
//!
//! ```text
//! each side:   Hello   Verdict   Frame  Frame  Frame ..
//!              frozen  frozen    as the negotiated version says
//! ```
//!
//! Nothing here keeps state, and nothing trusts a byte: whatever cannot be read comes back as an error.

mod auth;
mod batch;
mod close;
mod decode;
mod few;
mod frame;
mod hello;
mod items;
mod limits;
mod payload;
#[cfg(test)]
mod pins;
mod scratch;
mod short;
mod status;
mod trace;
mod varint;
mod verdict;

pub(crate) use auth::{Key, Proof, Role};
pub(crate) use batch::Batch;
pub(crate) use close::cut_text;
pub use close::{CloseKind, CloseReason, Closer, HandshakeFailure, HandshakeStep, Refusal};
pub(crate) use decode::{Malformed, announced_len, decode};
pub(crate) use few::Few;
pub(crate) use frame::{CallHead, Frame};
pub(crate) use hello::{HELLO_LIMIT, Hello, HelloError};
pub(crate) use items::{BadItems, Items};
#[cfg(test)]
pub(crate) use items::{item_size, push_item, take_item};
pub(crate) use limits::Limits;
pub(crate) use payload::Payload;
pub(crate) use scratch::Scratch;
pub(crate) use short::{ShortCall, ShortReply, short_call, short_reply};
pub(crate) use status::{Status, TooBig};
pub(crate) use trace::TraceContext;
pub(crate) use verdict::Verdict;

/// The oldest version of the frames that this library speaks.
pub(crate) const MIN_VERSION: u16 = 1;

/// The newest version of the frames that this library speaks.
pub(crate) const MAX_VERSION: u16 = 1;

/// The bytes of the length that starts every frame.
pub(crate) const LENGTH_PREFIX: usize = 4;

/// How full a frame of items may be when its last item is begun. Larger frames save nothing, and would keep other
/// frames waiting behind them.
pub(crate) const ITEMS_FRAME: usize = 64 << 10;

/// No frame's header is longer: the one of a call with a deadline, a trace and uploads has 51 bytes.
pub(crate) const MAX_HEADER: usize = 64;

/// What a frame may have beyond one message of the largest size: its header, and in a frame of items those before
/// the last one.
pub(crate) const FRAME_ALLOWANCE: usize = ITEMS_FRAME + 1024;

/// How many uploads one call may have. Enough for any signature, and few enough that a call's streams cost a hostile
/// peer as much as they cost us.
pub(crate) const MAX_UPLOADS: u8 = 16;

/// The longest text of a `Close` frame, in bytes; the rest of a longer one is cut off.
pub(crate) const CLOSE_TEXT_LIMIT: usize = 32 << 10;
