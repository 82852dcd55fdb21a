//! A call that has arrived, and who serves it.

use std::{sync::Arc, time::Instant};

use crate::{
    connection::{CallContext, Serial, Shared, Target, arrivals::Calls},
    id::{CallId, FunctionId},
    proto::TraceContext,
    wire::{Few, Payload, Status},
};

/// Serves the calls that arrive on one connection.
pub(crate) trait Service: Send {
    /// Starts to work on calls of one connection. It runs on the connection's task and must not block it. A panic is told to
    /// the caller of the call that is current then, and the calls that are left are served after it.
    fn serve(&mut self, calls: Calls<'_>);
}

/// A call that has arrived. It is answered through its connection.
#[derive(Debug)]
pub struct Incoming<'a> {
    pub(crate) function: FunctionId,
    pub(crate) serial: Serial,
    pub(crate) call: CallId,
    pub(crate) one_way: bool,
    pub(crate) uploads: u8,
    pub(crate) payload: Arrived<'a>,
    /// What few calls have.
    pub(crate) special: Option<Box<Special>>,
}

/// The arguments of a call, where they were received.
#[derive(Debug)]
pub(crate) enum Arrived<'a> {
    /// So many bytes at the front of these, among those of others.
    Together(&'a [u8], usize),
    /// By themselves.
    Alone(Payload),
}

/// What few calls have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Special {
    pub(crate) deadline: Option<Instant>,
    pub(crate) trace: Option<TraceContext>,
}

impl Special {
    /// None if there is nothing special.
    pub(super) fn new(deadline: Option<Instant>, trace: Option<TraceContext>) -> Option<Box<Self>> {
        (deadline.is_some() || trace.is_some()).then(|| Box::new(Self { deadline, trace }))
    }
}

impl Arrived<'_> {
    /// The arguments.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Together(bytes, len) => bytes.get(..*len).unwrap_or_default(),
            Self::Alone(payload) => payload,
        }
    }

    /// The arguments, if they are few and were received with others.
    #[inline(always)]
    pub(crate) fn few(&self) -> Few {
        match *self {
            Self::Together(bytes, len) => Few::front(bytes, len),
            Self::Alone(_) => Few::NONE,
        }
    }

    /// The arguments, to be kept.
    #[inline]
    pub(crate) fn take(&mut self) -> Payload {
        match self {
            Self::Together(bytes, len) => {
                let mut payload = Payload::default();
                payload.fill(bytes, (0, *len));
                payload
            }
            Self::Alone(payload) => payload.take(),
        }
    }
}

impl Incoming<'_> {
    /// Has the session note the call, if it has lent it. `false` if it does not.
    #[inline]
    pub(crate) fn note(&mut self) -> bool {
        if self.serial == Serial::LENT {
            let Some(serial) = CallContext::note_lent() else { return false };
            self.serial = serial;
        }
        true
    }

    /// Where the answer goes. The call must be [noted](Self::note).
    #[inline]
    pub(crate) fn target(&self, connection: &Arc<Shared>) -> Target {
        let Self { call, serial, one_way, uploads, .. } = *self;
        let answered = (uploads > 0).then(Arc::default);
        Target { shared: Arc::clone(connection), call, serial, one_way, uploads, answered }
    }

    /// Answers without a handler: nobody will read the caller's streams, and a one-way message is through. The call must be
    /// [noted](Self::note).
    pub(crate) fn refuse(&self, connection: &Arc<Shared>, status: Status, payload: Vec<u8>) {
        let target = self.target(connection);
        if self.one_way {
            return target.settle(self.payload.bytes().len());
        }
        target.reply(status, payload);
        target.stop_uploads(1);
        target.close();
    }
}
