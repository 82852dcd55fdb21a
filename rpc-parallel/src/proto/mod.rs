//! The protocol of one connection as a state machine that does no input or output.
//!
//! A [`Session`] is told what happened and when, and says what to do:
//!
//! - (A) inputs: [`input_buffer`](Session::input_buffer), then [`handle_received`](Session::handle_received), and
//!   `handle_eof`, `handle_timeout`, `handle_transport_error`;
//! - (B) commands of the application: `open_call`, `cancel`, `reply`, `send_items`, `consumed`, `close` and others;
//! - (C) outputs: [`poll_event`](Session::poll_event), `transmit_slices` with `transmitted`, `poll_timeout`;
//! - (D) getters.
//!
//! Every input and every command may lead to outputs of all three kinds. Two rules for the driver:
//!
//! 1. It takes all events before it gives the next input or command: a number that an event names may be used again
//!    later, and frames are taken apart as their events are asked for. Short calls it may [borrow](Session::lend) instead,
//!    and answer before it looks for what follows.
//! 2. What was written is reported before anything is reported that was read after it: a peer that answers what was
//!    not sent violates the protocol.
//!
//! No clock is read: time comes with the inputs.

mod call_streams;
mod calls;
mod closing;
mod deadlines;
mod event;
mod handshake;
mod heartbeat;
mod input;
mod lane;
mod local_calls;
mod one_way;
mod output;
mod pool;
mod receive;
mod remote_calls;
mod run;
mod serve;
mod session;
mod short;
mod stream;
mod streams;
#[cfg(test)]
mod tests;

pub use event::AbortReason;
pub(crate) use event::{
    CallSide, Event, OpenCall, OpenCallError, PeerInfo, SendState, SessionConfig, Side, StreamKey,
};
pub(crate) use run::Run;
pub(crate) use session::Session;
pub(crate) use short::SHORT;

pub(crate) use crate::wire::TraceContext;
