//! Answers one call.

use std::{any::Any, fmt, thread};

use futures_core::Stream;
use serde::Serialize;

use crate::{
    bulk,
    codec::{self, CodecError, Reader, Undecodable},
    connection::{CallContext, Collect, Incoming, Target, TooBig, collect, collect_few},
    server::Upload,
    shape::{State, Streamed},
    value::Item,
    wire::{self, Scratch, Status},
};

/// The encoded arguments of a call.
#[derive(Debug)]
pub struct Payload(wire::Payload);

impl Payload {
    /// All of it, as the only argument. Large bytes are not copied.
    pub fn into_vec(self) -> Vec<u8> {
        self.0.into_vec()
    }

    /// Reads all arguments.
    pub fn read<'a, T>(
        &'a self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Undecodable>,
    ) -> Result<T, Undecodable> {
        Reader::read(&self.0, self.0.shared(), read)
    }
}

/// Answers the current call, once. Dropped without an answer, it says that the handler ended without one.
///
/// It is one number, for it is moved about with the handler's future: what is put together from parts and then moved as a
/// whole makes the CPU wait.
pub struct Answer(u32);

/// It has answered.
const OVER: u32 = 0;

/// It answers a call, of which as many streams were taken as are added here.
const CALL: u32 = 1 << 8;

/// It settles a one-way message, of as many bytes as are added here: messages are limited to 2 GiB.
const ONE_WAY: u32 = 1 << 31;

impl Incoming<'_> {
    /// The encoded arguments.
    #[inline(never)]
    pub fn payload(&mut self) -> Payload {
        Payload(self.payload.take())
    }

    /// What answers.
    #[inline]
    pub(super) fn answer(&self) -> Answer {
        Answer(if self.one_way { ONE_WAY | self.payload.bytes().len() as u32 } else { CALL })
    }
}

/// Where the answer goes. A handler is entered, polled and dropped with its call as the current one.
fn with_target<T: Default>(work: impl FnOnce(&Target) -> T) -> T {
    CallContext::with_target(Target::clone).map(|target| work(&target)).unwrap_or_default()
}

/// Appends a part of an answer to a buffer, which may become as long as the given limit.
type Write<'a> = &'a mut dyn FnMut(&mut Vec<u8>, usize) -> Result<(), CodecError>;

impl Answer {
    /// The next stream from the caller.
    pub fn upload<I>(&mut self, item: Item<I>) -> Upload<I> {
        self.0 += 1;
        let target = CallContext::with_target(Target::clone);
        let receiver = target.as_ref().and_then(|target| target.receiver(self.taken()));
        Upload::new(receiver, item, target)
    }

    /// The arguments could not be decoded.
    #[cold]
    pub fn undecodable(mut self, error: Undecodable) {
        let text = format!("the worker cannot decode the {error}").into_bytes();
        with_target(|target| target.reply(Status::Undecodable, text));
        self.end();
    }

    /// A one-way function is through.
    pub fn done(mut self) {
        self.end();
    }

    /// A value, or the method's error. Large bytes are not copied. It is there once for each type, whatever the number of methods.
    #[inline(never)]
    pub(crate) fn encode<T: Serialize + Any>(&mut self, status: Status, value: &mut T) {
        if let Some(bytes) = bulk::take_large(value) {
            return self.finish(status, bytes.into());
        }
        let value = &*value;
        if let Some(few) = codec::encode_few(value)
            && collect_few(status, few)
        {
            self.0 = OVER;
            return;
        }
        self.encode_any(status, &mut |out, limit| codec::encode_owned(value, out, limit));
    }

    /// Once for all types.
    #[inline(never)]
    fn encode_any(&mut self, status: Status, write: Write<'_>) {
        match collect(status, &mut *write) {
            Collect::Kept => self.0 = OVER,
            other => self.encode_apart(status, other, write),
        }
    }

    /// What was not kept: it goes by itself, or the caller is told why it cannot.
    fn encode_apart(&mut self, status: Status, collected: Collect, write: Write<'_>) {
        match collected {
            Collect::Failed(error) => self.refuse(status, *error),
            _ => self.encode_and_finish(status, write),
        }
    }

    /// It is over: there is nothing left that its end would say.
    #[inline]
    pub(super) fn forget(self) {
        debug_assert_eq!(self.0, OVER, "the call was not answered");
        std::mem::forget(self);
    }

    fn finish(&mut self, status: Status, payload: wire::Payload) {
        let alone = with_target(|target| {
            if target.is_alone() {
                target.reply_and_close(status, payload);
                return true;
            }
            target.reply(status, payload);
            false
        });
        if alone { self.0 = OVER } else { self.end() }
    }

    /// Sends the one reply by itself. It is the same code for all types.
    fn encode_and_finish(&mut self, status: Status, write: Write<'_>) {
        match encode(write, what(status)) {
            Some(payload) => self.finish(status, payload),
            None => self.end(),
        }
    }

    /// The answer cannot be encoded.
    #[cold]
    fn refuse(&mut self, status: Status, error: CodecError) {
        tell(error, what(status));
        self.end();
    }

    /// A stream, until its end, or the method's error. The stream need not be `'static`.
    pub async fn stream<S: Stream + Send, E>(mut self, result: Result<S, E>, shape: Streamed<S::Item, E>) {
        match result {
            Ok(stream) => {
                if let Some(sender) = with_target(|target| target.open_download(Vec::new())) {
                    sender.pump(stream, shape.item).await;
                }
            }
            Err(error) => app_error(&mut |out, limit| shape.error.encode(&error, out, limit)),
        }
        self.end();
    }

    /// A value and a stream, until its end, or the method's error.
    pub async fn state<T, S: Stream + Send, E>(mut self, result: Result<(T, S), E>, shape: State<T, S::Item, E>) {
        match result {
            Ok((value, stream)) => {
                let payload = encode(&mut |out, limit| shape.value.encode(&value, out, limit), "the first value");
                drop(value);
                if let Some(sender) = payload.and_then(|payload| with_target(|target| target.open_download(payload)))
                {
                    sender.pump(stream, shape.item).await;
                }
            }
            Err(error) => app_error(&mut |out, limit| shape.error.encode(&error, out, limit)),
        }
        self.end();
    }

    fn end(&mut self) {
        let answer = std::mem::replace(&mut self.0, OVER);
        with_target(|target| {
            if answer & ONE_WAY != 0 {
                return target.settle((answer & !ONE_WAY) as usize);
            }
            target.has_answered();
            let taken = answer as u8;
            if taken < target.uploads {
                target.stop_uploads(taken + 1);
            }
            target.close();
        });
    }

    /// How many streams from the caller were taken.
    fn taken(&self) -> u8 {
        self.0 as u8
    }

    /// The handler is gone without an answer.
    #[cold]
    fn abandon(&mut self) {
        if self.0 & ONE_WAY != 0 {
            self.end();
        } else if thread::panicking() {
            // Whoever catches the panic tells of it.
            with_target(|target| target.stop_uploads(self.taken().saturating_add(1)));
        } else {
            let text = b"the handler was dropped before it had answered".to_vec();
            with_target(|target| target.fail(Status::Cancelled, text));
            self.end();
        }
    }
}

/// What is encoded for a reply of this status.
fn what(status: Status) -> &'static str {
    if status == Status::App { "the method's error" } else { "the reply" }
}

fn app_error(write: Write<'_>) {
    if let Some(payload) = encode(write, "the method's error") {
        with_target(|target| target.reply(Status::App, payload));
    }
}

/// Encodes a part of the answer; if that is impossible the caller is told instead.
fn encode(write: Write<'_>, what: &str) -> Option<wire::Payload> {
    let mut payload = Scratch::new();
    let limit = CallContext::with_target(|target| target.shared.message_limit())?;
    match write(&mut payload, limit) {
        Ok(()) => Some(payload.into_payload()),
        Err(error) => {
            tell(error, what);
            None
        }
    }
}

/// The answer cannot be encoded.
#[cold]
fn tell(error: CodecError, what: &str) {
    let (status, payload) = match error {
        CodecError::TooLarge { size, limit } => (Status::TooBig, TooBig::payload(size, limit, what)),
        error => (Status::Undecodable, format!("{what} cannot be encoded by the worker: {error}").into_bytes()),
    };
    with_target(|target| target.reply(status, payload));
}

impl Drop for Answer {
    #[inline]
    fn drop(&mut self) {
        if self.0 != OVER {
            self.abandon();
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("over", &(self.0 == OVER)).finish()
    }
}
