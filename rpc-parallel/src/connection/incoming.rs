//! A call that has arrived, and who serves it.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;

use crate::{
    connection::{Serial, core::Shared},
    id::{CallId, FunctionId},
    proto::TraceContext,
    wire::Status,
};

/// Serves the calls that arrive on one connection.
pub(crate) trait Service: Send {
    /// Starts to work on a call. It runs on the connection's task and must not block it.
    fn start(&mut self, incoming: Incoming);
}

/// What was called.
#[derive(Debug)]
pub(crate) struct CalledFunction {
    pub(crate) call: CallId,
    pub(crate) function: FunctionId,
    pub(crate) one_way: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) uploads: u8,
    pub(crate) payload: Bytes,
}

/// A call that has arrived. It is answered through its connection.
#[derive(Debug)]
pub struct Incoming {
    pub(crate) shared: Arc<Shared>,
    pub(crate) call: CalledFunction,
    pub(crate) serial: Serial,
    /// The largest message that both sides take.
    pub(crate) limit: usize,
}

impl Incoming {
    pub(super) fn new(shared: Arc<Shared>, call: CalledFunction, serial: Serial, limit: usize) -> Self {
        Self { shared, call, serial, limit }
    }

    /// Answers without a handler: nobody will read the caller's streams, and a one-way message is through.
    pub(crate) fn refuse(&self, status: Status, payload: Vec<u8>) {
        let target = self.target();
        if self.call.one_way {
            return target.settle(self.call.payload.len());
        }
        target.reply(status, payload);
        target.stop_uploads(1);
        target.close();
    }
}
