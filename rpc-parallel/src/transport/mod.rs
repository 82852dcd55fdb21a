//! Connected byte pipes. They know nothing of frames.

mod address;
#[cfg_attr(not(target_os = "linux"), path = "no_lane.rs")]
mod lane;
mod listener;
#[cfg(target_os = "linux")]
mod receive;
mod socket;

pub use address::Address;
pub(crate) use lane::{DESCRIPTORS, Lane};
pub(crate) use listener::{Listener, connect};
pub(crate) use socket::Socket;
