//! Typed clients.

mod arguments;
mod call;
#[allow(clippy::module_inception, reason = "a file is called after the type in it")]
mod client;
mod error;
mod reply;
mod streaming;

pub use self::arguments::Arguments;
pub use self::call::Call;
pub use self::client::{Client, ClientCore};
pub use self::error::CallError;
pub(crate) use self::reply::failure;
pub use self::streaming::Streaming;
