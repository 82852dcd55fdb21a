//! The calls that a pass of the driver has brought.

use crate::{
    connection::{Incoming, Serial, incoming::Arrived},
    id::{CallId, FunctionId},
};

/// Calls in the order in which they came.
///
/// A short call is little more than where its arguments are: moving it about would cost more than reading it.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    calls: Vec<Arrival>,
    /// Short calls as they came over the wire.
    pub(super) bytes: Vec<u8>,
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
    Any(Box<Incoming<'static>>),
}

/// How much memory for short calls is kept.
const KEPT: usize = 64 << 10;

impl Arrivals {
    /// Adds a call that has nothing special, and its arguments here in the bytes.
    #[inline]
    pub(super) fn push_short(&mut self, function: FunctionId, serial: Serial, call: CallId, payload: (usize, usize)) {
        self.calls.push(Arrival::Short { function, serial, call, payload });
    }

    /// Adds any call.
    pub(super) fn push(&mut self, incoming: Incoming<'static>) {
        self.calls.push(Arrival::Any(Box::new(incoming)));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Hands out those that were not handed out yet. After a panic it goes on with the next one.
    #[inline]
    pub(super) fn for_each(&mut self, mut start: impl FnMut(&mut Incoming<'_>)) {
        while let Some(arrival) = self.calls.get_mut(self.next) {
            self.next += 1;
            match arrival {
                Arrival::Any(incoming) => start(incoming),
                Arrival::Short { function, serial, call, payload } => start(&mut Incoming {
                    function: *function,
                    serial: *serial,
                    call: *call,
                    one_way: false,
                    uploads: 0,
                    payload: Arrived::Together(&self.bytes, *payload),
                    special: None,
                }),
            }
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.next = 0;
    }
}
