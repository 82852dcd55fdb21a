//! Sending a call.

use std::{
    sync::{Arc, MutexGuard},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{CallFailure, RawCall, Special, State, spare};
use crate::{
    connection::{RawSender, Shared, TooBig, core::Core},
    id::{CallId, FunctionId},
    proto::{CallSide, OpenCall, OpenCallError, SHORT, StreamKey},
    wire::{CloseReason, Few},
};

impl RawCall {
    /// Sends the call, and waits for what comes next.
    pub(super) fn poll_send(&mut self, one_way: bool, cx: &mut Context<'_>) -> Poll<()> {
        if self.send_short(Some(cx)) {
            return Poll::Pending;
        }
        std::task::ready!(self.send_any(one_way, Some(cx)));
        match self.state {
            State::Writing { .. } => self.poll_written(Some(cx)),
            State::Over | State::PlainOver => Poll::Ready(()),
            State::Sent { .. } | State::Unsent { .. } => Poll::Pending,
        }
    }

    /// Sends a short call without anything special, and has the task woken by its reply. `false` if it is another one, was
    /// sent, or cannot be sent right now.
    #[inline(never)]
    pub(super) fn send_short(&mut self, cx: Option<&mut Context<'_>>) -> bool {
        let (State::Unsent { one_way: false }, Some(connection), None) =
            (self.state, &self.connection, &self.special)
        else {
            return false;
        };
        if !self.few.is_there() && self.has_long_arguments() {
            return false;
        }
        let mut core = connection.shared().lock();
        if let Some((call, slot)) = core.open_along(self.function, self.few, cx.as_deref()) {
            self.state = State::Sent { call, slot, spins: false };
            return true;
        }
        let (few, arguments) = match &self.arguments {
            Some(arguments) if !self.few.is_there() => (Few::of(arguments), &arguments[..]),
            _ => (self.few, &[][..]),
        };
        let sent = connection.shared().send_short(core, self.function, few, arguments, cx);
        let Some(state) = sent else { return false };
        self.state = state;
        if !self.few.is_there() {
            spare::give_arguments(&mut self.arguments);
        }
        true
    }

    #[inline(never)]
    fn has_long_arguments(&self) -> bool {
        self.arguments.as_ref().is_some_and(|arguments| arguments.len() > SHORT)
    }

    /// Sends the call, and has the task woken by what it waits for next. `Pending` if the worker takes no further calls
    /// right now; without a context nobody is woken when it does. A call that cannot be sent is over.
    pub(super) fn send_any(&mut self, one_way: bool, cx: Option<&mut Context<'_>>) -> Poll<()> {
        self.arguments();
        let Some(connection) = &self.connection else { return Poll::Ready(()) };
        let shared = connection.shared();
        let mut guard = shared.lock();
        let core = &mut *guard;
        if let Some(terminal) = core.terminal.clone() {
            drop(guard);
            // The caller's streams are dropped with it: never under the lock, which one from this connection takes.
            self.fail(CallFailure::Lost(terminal));
            return Poll::Ready(());
        }
        let size = self.arguments.as_ref().map_or(0, |arguments| arguments.len());
        let alone = core.is_alone();
        let silent = core.session.close_reason().is_some_and(CloseReason::is_silent);
        let slot = core.waiting.callers.vacant();
        let opened = match silent {
            // The driver is about to learn why the peer went silent, and wakes whoever waits here.
            true => Err(OpenCallError::Full),
            false => {
                let parts = Parts { function: self.function, one_way, tag: slot };
                parts.open(core, self.arguments.get_or_insert_default(), self.special.as_deref_mut())
            }
        };
        let special = &mut self.special;
        let call = match opened {
            Ok(call) => call,
            Err(OpenCallError::Full) => {
                if let Some(cx) = cx {
                    let place = &mut special.get_or_insert_default().vacancy;
                    core.vacancy(one_way).wait(place, size, cx);
                }
                return Poll::Pending;
            }
            Err(error) => {
                let failure = CallFailure::from_open(error, core);
                let next = match special {
                    Some(special) => core.leave_vacancy(one_way, &mut special.vacancy),
                    None => Vec::new(),
                };
                drop(guard);
                next.into_iter().for_each(Waker::wake);
                self.fail(failure);
                return Poll::Ready(());
            }
        };
        let mut senders = Vec::new();
        if let Some(special) = special {
            core.vacancy(one_way).leave(&mut special.vacancy);
            // Under the same lock, so that what the worker says of a stream finds its sender.
            senders = self::senders(shared, core, call, special);
        }
        self.state = if one_way {
            State::Writing { until: core.session.bytes_sent() + core.session.bytes_queued(), waits: false }
        } else {
            core.waiting.callers.occupy(slot, cx.as_deref());
            State::Sent { call, slot, spins: false }
        };
        let spins = shared.flush_call(core, alone, cx.filter(|_| !one_way));
        if let State::Sent { spins: place, .. } = &mut self.state {
            *place = spins;
        }
        drop(guard);
        if let Some(special) = &mut self.special {
            for (upload, sender) in special.uploads.drain(..).zip(senders) {
                shared.in_runtime(|| upload(sender));
            }
        }
        Poll::Ready(())
    }

    /// Waits until a one-way message is with the kernel: then the end of this process does not undo it.
    pub(super) fn poll_written(&mut self, cx: Option<&mut Context<'_>>) -> Poll<()> {
        let (State::Writing { until, waits }, Some(connection)) = (&mut self.state, &self.connection) else {
            return Poll::Ready(());
        };
        let mut core = connection.shared().lock();
        let mut place = waits.then_some(*until);
        let failure = if core.session.bytes_sent() >= *until {
            None
        } else if let Some(terminal) = core.terminal.clone() {
            Some(CallFailure::Lost(terminal))
        } else {
            if let Some(cx) = cx {
                core.unwritten.wait_at(*until, &mut place, cx);
                *waits = true;
            }
            return Poll::Pending;
        };
        core.unwritten.leave(&mut place);
        drop(core);
        if let Some(failure) = failure {
            self.fail(failure);
        }
        Poll::Ready(())
    }
}

/// What identifies a call that is made.
struct Parts {
    function: FunctionId,
    one_way: bool,
    tag: u32,
}

impl Parts {
    /// Makes the call. What it takes with it is left empty; if it is not made, nothing is.
    fn open(
        self,
        core: &mut Core,
        arguments: &mut Vec<u8>,
        special: Option<&mut Special>,
    ) -> Result<CallId, OpenCallError> {
        let Self { function, one_way, tag } = self;
        let (deadline, trace, uploads) = special.as_ref().map_or((None, None, 0), |special| {
            let deadline = special.limit.as_ref().map(|limit| limit.deadline);
            (deadline, special.trace, u8::try_from(special.uploads.len()).unwrap_or(u8::MAX))
        });
        let mut no_bulk = Bytes::new();
        let bulk = special.map_or(&mut no_bulk, |special| &mut special.bulk);
        let (payload, taken) = (std::mem::take(arguments), std::mem::take(bulk));
        let mut open = OpenCall { function, one_way, deadline, trace, uploads, payload, bulk: taken, tag };
        let opened = core.session.open_call(&mut open);
        (*arguments, *bulk) = (open.payload, open.bulk);
        opened
    }
}

impl Shared {
    /// Sends a short call, with `arguments` or, if they are there, a `few`.
    #[inline(never)]
    fn send_short(
        &self,
        mut guard: MutexGuard<'_, Core>,
        function: FunctionId,
        few: Few,
        arguments: &[u8],
        cx: Option<&mut Context<'_>>,
    ) -> Option<State> {
        let core = &mut *guard;
        let alone = core.is_alone();
        let slot = core.waiting.callers.vacant();
        let call = core.session.open_short(function, few, arguments, slot)?;
        core.waiting.callers.occupy(slot, cx.as_deref());
        Some(State::Sent { call, slot, spins: self.flush_call(core, alone, cx) })
    }

    /// Has a call written that was made just now: at once if it is alone, which saves a hop to the driver. Returns whether
    /// the task of `cx` is to look for its reply when it is polled again.
    #[inline(always)]
    fn flush_call(&self, core: &mut Core, alone: bool, cx: Option<&mut Context<'_>>) -> bool {
        core.count_calls();
        if !alone {
            self.flush_soon(core);
            return false;
        }
        self.flush_now(core);
        match cx {
            Some(cx) if core.may_spin() => self.arrange_spin(core, cx),
            _ => false,
        }
    }
}

impl Core {
    /// Makes a call of a few bytes, if they are there, while others are under way and the driver is about to write what is
    /// queued: nothing more is to be done then.
    #[inline(always)]
    fn open_along(&mut self, function: FunctionId, few: Few, cx: Option<&Context<'_>>) -> Option<(CallId, u32)> {
        if !self.woken || !few.is_there() {
            return None;
        }
        let slot = self.waiting.callers.vacant();
        let call = self.session.open_few(function, few, slot)?;
        self.waiting.callers.occupy(slot, cx);
        debug_assert!(self.expecting.is_some());
        Some((call, slot))
    }
}

impl CallFailure {
    fn from_open(error: OpenCallError, core: &Core) -> Self {
        match error {
            OpenCallError::TooBig(error) => {
                Self::TooBig(TooBig::new(error.size, error.limit, "the arguments of the call"))
            }
            OpenCallError::Closed => match core.terminal.clone() {
                Some(terminal) => Self::Lost(terminal),
                None => Self::Closing,
            },
            OpenCallError::Full | OpenCallError::TooManyUploads(_) | OpenCallError::Closing => Self::Closing,
        }
    }
}

/// The writing halves of the call's uploads.
fn senders(shared: &Arc<Shared>, core: &mut Core, call: CallId, special: &Special) -> Vec<RawSender> {
    (1..)
        .zip(&special.uploads)
        .map(|(stream, _)| StreamKey { side: CallSide::Local, call, stream })
        .map(|key| RawSender::upload(Arc::clone(shared), core, key))
        .collect()
}
