//! Serving: a worker's state, its connections, and the handlers of its calls.

mod answer;
mod builtin;
mod dispatch;
mod handling;
#[allow(clippy::module_inception, reason = "a file is called after the type in it")]
mod server;
mod service;
mod upload;

pub use self::answer::{Answer, Payload};
pub(crate) use self::builtin::{OPEN, OpenAnswer, OpenFailure, OpenReply, OpenRequest, SHUTDOWN};
pub use self::handling::Handling;
pub(crate) use self::handling::read_only;
pub(crate) use self::server::{CLOSE_LIMIT, CLOSE_REASON, Server, ServerConfig};
pub(crate) use self::service::{ServesNothing, Serving};
pub use self::upload::Upload;
