//! Connected byte pipes. They know nothing of frames.

mod address;
mod listener;
mod socket;

pub use address::Address;
pub(crate) use listener::{Listener, connect};
pub(crate) use socket::Socket;
