//! Live connections: one driver task each, and handles that share it.

mod call;
mod context;
mod core;
mod driver;
mod error;
mod establish;
mod handle;
mod incoming;
mod pulse;
mod queue;
mod receiver;
mod replies;
mod sender;
mod served;
mod stream_slots;
mod target;
mod too_big;
mod waiting;
mod wakers;

pub(crate) use self::call::RawDownload;
pub use self::call::RawReply;
pub(crate) use self::call::{CallFailure, RawCall, Upload};
pub use self::context::CallContext;
pub(crate) use self::core::Shared;
pub(crate) use self::error::Terminal;
pub use self::error::{ConnectError, ConnectionLost};
pub(crate) use self::establish::{Establish, establish};
pub(crate) use self::handle::Connection;
pub use self::handle::Traffic;
pub use self::incoming::Incoming;
pub(crate) use self::incoming::Service;
pub(crate) use self::receiver::{RawReceiver, Received};
pub(crate) use self::sender::RawSender;
pub(crate) use self::served::Serial;
pub(crate) use self::target::Target;
pub(crate) use self::too_big::TooBig;
