//! Answers one call.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use futures_core::Stream;

use crate::{
    codec::{CodecError, Reader, Undecodable},
    connection::{CallContext, Incoming, Target, TooBig, collect},
    server::Upload,
    shape::{Reply, State, Streamed},
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
        Reader::read(&self.0, read)
    }
}

/// Answers the current call, once. Dropped without an answer, it says that the handler ended without one.
pub struct Answer {
    next_upload: u8,
    uploads: u8,
    over: bool,
    /// How many bytes of a one-way message are settled when it is through.
    one_way: Option<u32>,
    /// There once there is an upload that has to know.
    answered: Option<Arc<AtomicBool>>,
}

impl Incoming<'_> {
    /// The encoded arguments, and what answers.
    #[inline]
    pub fn split(&mut self) -> (Payload, Answer) {
        let answer = self.answer();
        (Payload(self.payload.take()), answer)
    }

    /// What answers.
    #[inline]
    pub fn answer(&self) -> Answer {
        // Messages are limited to 2 GiB.
        let one_way = self.one_way.then(|| self.payload.bytes().len() as u32);
        Answer { next_upload: 0, uploads: self.uploads, over: false, one_way, answered: None }
    }

    /// Reads all arguments, which borrow nothing.
    #[inline]
    pub fn read<T>(&self, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Undecodable>) -> Result<T, Undecodable> {
        let mut reader = Reader::new(self.payload.bytes());
        let arguments = read(&mut reader)?;
        reader.finish()?;
        Ok(arguments)
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
        self.next_upload += 1;
        let answered = Arc::clone(self.answered.get_or_insert_default());
        let target = CallContext::with_target(Target::clone);
        let receiver = target.as_ref().and_then(|target| target.receiver(self.next_upload));
        Upload::new(receiver, item.decode, target, answered)
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

    /// A value, or the method's error.
    #[inline]
    pub fn reply<T, E>(self, result: Result<T, E>, shape: Reply<T, E>) {
        match result {
            Ok(mut value) => match shape.value.take(&mut value) {
                Some(bytes) => self.finish(Status::Ok, bytes.into()),
                None => {
                    self.encode_and_finish(Status::Ok, &mut |out, limit| shape.value.encode(&value, out, limit));
                }
            },
            Err(error) => {
                self.encode_and_finish(Status::App, &mut |out, limit| shape.error.encode(&error, out, limit));
            }
        }
    }

    fn finish(mut self, status: Status, payload: wire::Payload) {
        let alone = self.is_alone();
        self.over = alone;
        with_target(
            |target| if alone { target.reply_and_close(status, payload) } else { target.reply(status, payload) },
        );
        if !alone {
            self.end();
        }
    }

    /// Sends the one reply. It is the same code for all types.
    fn encode_and_finish(mut self, status: Status, write: Write<'_>) {
        let what = if status == Status::App { "the method's error" } else { "the reply" };
        // With those of other calls, if the handler is entered with theirs.
        match if self.is_alone() { collect(status, &mut *write) } else { None } {
            Some(Ok(())) => self.over = true,
            Some(Err(error)) => {
                tell(error, what);
                self.end();
            }
            None => match encode(write, what) {
                Some(payload) => self.finish(status, payload),
                None => self.end(),
            },
        }
    }

    /// Whether nothing but the reply is left of the call.
    fn is_alone(&self) -> bool {
        self.uploads == 0 && self.one_way.is_none()
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
        self.over = true;
        if let Some(answered) = &self.answered {
            answered.store(true, Ordering::Release);
        }
        let Self { next_upload, uploads, one_way, .. } = *self;
        with_target(|target| match one_way {
            Some(bytes) => target.settle(bytes as usize),
            None => {
                if next_upload < uploads {
                    target.stop_uploads(next_upload + 1);
                }
                target.close();
            }
        });
    }

    /// The handler is gone without an answer.
    #[cold]
    fn abandon(&mut self) {
        if self.one_way.is_some() {
            self.end();
        } else if thread::panicking() {
            // Whoever catches the panic tells of it.
            with_target(|target| target.stop_uploads(self.next_upload.saturating_add(1)));
        } else {
            let text = b"the handler was dropped before it had answered".to_vec();
            with_target(|target| target.fail(Status::Cancelled, text));
            self.end();
        }
    }
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
        if !self.over {
            self.abandon();
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("over", &self.over).finish_non_exhaustive()
    }
}
