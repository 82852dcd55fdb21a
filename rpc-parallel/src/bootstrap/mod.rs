//! How a child becomes a worker.
//!
//! 1. Its parent starts it with the marker in the environment and a socket, the control socket, on descriptor 0.
//! 2. An entry takes over: the hook before `main`, or [`enter`] in it. It removes the marker.
//! 3. The child checks the socket, says hello, and reads the ticket and the descriptors.
//! 4. The lifeline starts: from now on the end of the control socket is the end of the process.
//! 5. [`worker::run`] does the rest and never returns.

mod charge;
mod control;
mod group;
#[cfg(all(feature = "pre-main", any(target_os = "linux", target_os = "android")))]
mod hook;
mod lifeline;
mod marker;
mod role;
mod system;
mod take_over;
#[cfg(target_os = "linux")]
mod tether;
mod thread;
mod worker;

pub(crate) use charge::{Charge, Ending, Ready, StartFailure};
pub(crate) use control::ControlSender;
pub use role::{Role, enter, role};
pub(crate) use take_over::Ticket;
