//! A call that has arrived, and who serves it.

use std::time::Instant;

use crate::{
    connection::Target,
    id::FunctionId,
    proto::TraceContext,
    wire::{Payload, Status},
};

/// Serves the calls that arrive on one connection.
pub(crate) trait Service: Send {
    /// Starts to work on a call. It runs on the connection's task and must not block it.
    fn start(&mut self, incoming: Incoming);
}

/// A call that has arrived. It is answered through its connection.
#[derive(Debug)]
pub struct Incoming {
    /// Where the answer goes.
    pub(crate) target: Target,
    pub(crate) function: FunctionId,
    pub(crate) deadline: Option<Instant>,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) payload: Payload,
    /// The largest message that both sides take.
    pub(crate) limit: usize,
}

impl Incoming {
    /// Answers without a handler: nobody will read the caller's streams, and a one-way message is through.
    pub(crate) fn refuse(&self, status: Status, payload: Vec<u8>) {
        if self.target.one_way {
            return self.target.settle(self.payload.len());
        }
        self.target.reply(status, payload);
        self.target.stop_uploads(1);
        self.target.close();
    }
}
