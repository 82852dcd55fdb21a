//! The calls that a pass of the driver has brought.

use std::sync::Arc;

use crate::{
    connection::{CallContext, Incoming, Serial, Shared, core::Core, entered::Entered, incoming::Arrived},
    proto::{Run, Session},
};

/// Calls in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Each is there until it is handed out.
    calls: Vec<Option<Box<Incoming<'static>>>>,
    next: usize,
    /// Short calls as they came over the wire, after the others.
    run: Run,
    lent: bool,
    /// How many calls of the run were handed out.
    served: usize,
}

/// The calls that have arrived on a connection, to be served.
pub(crate) struct Calls<'a> {
    pub(super) connection: &'a Arc<Shared>,
    pub(super) arrivals: &'a mut Arrivals,
    pub(super) entered: &'a Entered,
}

/// After so many calls of a run it is looked at how much there is to send.
const LOOKS_AT_REPLIES: usize = 64;

impl Arrivals {
    /// Adds the short calls that come next. If there are any, nothing is to be taken from the session before they are
    /// [given back](Self::give_back).
    #[inline]
    pub(super) fn borrow(&mut self, session: &mut Session) -> bool {
        self.lent = self.lent || session.lend(&mut self.run);
        self.lent
    }

    /// Adds any call.
    pub(super) fn push(&mut self, incoming: Incoming<'static>) {
        self.calls.push(Some(Box::new(incoming)));
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && !self.lent
    }

    /// Forgets all that were served, and returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        let count = self.calls.len() + std::mem::take(&mut self.served);
        self.calls.clear();
        self.next = 0;
        count
    }

    /// Gives back what was borrowed. Returns whether the session has a further frame.
    #[inline]
    pub(super) fn give_back(&mut self, core: &mut Core) -> bool {
        std::mem::take(&mut self.lent) && core.session.take_back(&mut self.run)
    }
}

impl Calls<'_> {
    /// Hands out those that were not handed out yet, each of which is the current call then. After a panic it goes on with
    /// the next one.
    ///
    /// `start` and `start_short` are to do the same, the latter for those that came as short ones, nearly all: as an argument of
    /// its own it is called in one place, and so becomes a part of the loop.
    #[inline]
    pub(crate) fn for_each<S>(
        self,
        state: &mut S,
        start: fn(&mut S, &Arc<Shared>, &mut Incoming<'_>),
        mut start_short: impl FnMut(&mut S, &Arc<Shared>, &mut Incoming<'_>),
    ) {
        let Self { connection, entered, arrivals: Arrivals { calls, next, run, lent, served } } = self;
        CallContext::begin(entered, connection);
        while let Some(incoming) = calls.get_mut(*next) {
            *next += 1;
            if let Some(mut incoming) = incoming.take() {
                CallContext::announce(entered, &incoming);
                start(state, connection, &mut incoming);
            }
        }
        // What is not handed out is given back, and looked at again once these replies are on their way.
        while *lent
            && (!served.is_multiple_of(LOOKS_AT_REPLIES) || !entered.has_many_replies())
            && let Some((call, function, bytes, len)) = run.next()
        {
            *served += 1;
            CallContext::announce_plain(entered, call, len);
            let (payload, serial) = (Arrived::Together(bytes, len), Serial::LENT);
            start_short(
                state,
                connection,
                &mut Incoming { function, serial, call, one_way: false, uploads: 0, payload, special: None },
            );
        }
    }
}
