//! The calls that a pass of the driver has brought.

use std::sync::Arc;

use crate::{
    connection::{CallContext, Incoming, Serial, Shared, entered::Entered, incoming::Arrived},
    id::{CallId, FunctionId},
    proto::Session,
};

/// Calls in the order in which they came.
///
/// A short call is little more than where its arguments are: moving it about would cost more than reading it.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    calls: Vec<Arrival>,
    /// Short calls as they came over the wire.
    bytes: Vec<u8>,
    next: usize,
}

#[derive(Debug)]
enum Arrival {
    Short {
        function: FunctionId,
        serial: Serial,
        call: CallId,
        /// Where its arguments are in the bytes.
        payload: (usize, usize),
    },
    /// There until it is handed out.
    Any(Option<Box<Incoming<'static>>>),
}

/// The calls that have arrived on a connection, to be served.
pub(crate) struct Calls<'a> {
    pub(super) connection: &'a Arc<Shared>,
    pub(super) arrivals: &'a mut Arrivals,
    pub(super) entered: &'a Entered,
}

/// How much memory for short calls is kept.
const KEPT: usize = 64 << 10;

impl Arrivals {
    /// Adds the short calls that come next.
    #[inline(never)]
    pub(super) fn take_calls(&mut self, session: &mut Session) {
        let Self { calls, bytes, .. } = self;
        session.take_calls(bytes, |call, serial, function, payload| {
            calls.push(Arrival::Short { function, serial: Serial(serial), call, payload });
        });
    }

    /// Adds any call.
    pub(super) fn push(&mut self, incoming: Incoming<'static>) {
        self.calls.push(Arrival::Any(Some(Box::new(incoming))));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.next = 0;
    }
}

impl Calls<'_> {
    /// Hands out those that were not handed out yet, each of which is the current call then. After a panic it goes on with
    /// the next one.
    #[inline]
    pub(crate) fn for_each(self, mut start: impl FnMut(&Arc<Shared>, &mut Incoming<'_>)) {
        let Self { connection, entered, arrivals: Arrivals { calls, bytes, next } } = self;
        CallContext::begin(entered, connection);
        while let Some(arrival) = calls.get_mut(*next) {
            *next += 1;
            let mut incoming = match arrival {
                Arrival::Short { function, serial, call, payload: (at, end) } => {
                    let (function, serial, call) = (*function, *serial, *call);
                    CallContext::announce_plain(entered, call, serial);
                    let payload = Arrived::Together(bytes.get(*at..).unwrap_or_default(), *end - *at);
                    let (one_way, uploads, special) = (false, 0, None);
                    Incoming { function, serial, call, one_way, uploads, payload, special }
                }
                Arrival::Any(incoming) => {
                    let Some(incoming) = incoming.take() else { continue };
                    CallContext::announce(entered, &incoming);
                    *incoming
                }
            };
            start(connection, &mut incoming);
        }
    }
}
