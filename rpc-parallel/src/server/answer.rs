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
    connection::{Incoming, Target, TooBig},
    server::Upload,
    shape::{Reply, State, Streamed},
    value::{Encode, Item},
    wire::{self, Scratch, Status},
};

/// The encoded arguments of a call.
#[derive(Debug)]
pub struct Payload(wire::Payload);

impl Payload {
    /// Reads all arguments.
    pub fn read<'a, T>(
        &'a self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Undecodable>,
    ) -> Result<T, Undecodable> {
        Reader::read(&self.0, read)
    }
}

/// Answers one call, once. Dropped without an answer, it says that the handler ended without one.
pub struct Answer {
    target: Target,
    next_upload: u8,
    /// How many bytes of a one-way message are settled when it is through.
    one_way: Option<usize>,
    limit: usize,
    /// There once there is an upload that has to know.
    answered: Option<Arc<AtomicBool>>,
    over: bool,
}

impl Incoming {
    /// The encoded arguments, and what answers.
    pub fn split(self) -> (Payload, Answer) {
        let answer = Answer {
            next_upload: 0,
            one_way: self.target.one_way.then_some(self.payload.len()),
            limit: self.limit,
            answered: None,
            over: false,
            target: self.target,
        };
        (Payload(self.payload), answer)
    }
}

impl Answer {
    /// The next stream from the caller.
    pub fn upload<I>(&mut self, item: Item<I>) -> Upload<I> {
        self.next_upload += 1;
        let receiver = self.target.receiver(self.next_upload);
        let answered = self.answered.get_or_insert_default();
        Upload::new(receiver, item.decode, self.target.clone(), Arc::clone(answered))
    }

    /// The arguments could not be decoded.
    pub fn undecodable(mut self, error: Undecodable) {
        self.target.reply(Status::Undecodable, format!("the worker cannot decode the {error}").into_bytes());
        self.end();
    }

    /// A one-way function is through.
    pub fn done(mut self) {
        self.end();
    }

    /// A value, or the method's error.
    pub fn reply<T, E>(mut self, result: Result<T, E>, shape: Reply<T, E>) {
        let payload = match &result {
            Ok(value) => self.encode(value, shape.value, "the reply").map(|payload| (Status::Ok, payload)),
            Err(error) => self.encode(error, shape.error, "the method's error").map(|payload| (Status::App, payload)),
        };
        match payload {
            Some((status, payload)) if self.target.uploads == 0 && self.one_way.is_none() => {
                self.over = true;
                self.target.reply_and_close(status, payload);
                return;
            }
            Some((status, payload)) => self.target.reply(status, payload),
            None => {}
        }
        self.end();
    }

    /// A stream, until its end, or the method's error. The stream need not be `'static`.
    pub async fn stream<S: Stream + Send, E>(mut self, result: Result<S, E>, shape: Streamed<S::Item, E>) {
        match result {
            Ok(stream) => {
                if let Some(sender) = self.target.open_download(Vec::new()) {
                    sender.pump(stream, shape.item).await;
                }
            }
            Err(error) => self.app_error(&error, shape.error),
        }
        self.end();
    }

    /// A value and a stream, until its end, or the method's error.
    pub async fn state<T, S: Stream + Send, E>(mut self, result: Result<(T, S), E>, shape: State<T, S::Item, E>) {
        match result {
            Ok((value, stream)) => {
                let payload = self.encode(&value, shape.value, "the first value");
                drop(value);
                if let Some(sender) = payload.and_then(|payload| self.target.open_download(payload)) {
                    sender.pump(stream, shape.item).await;
                }
            }
            Err(error) => self.app_error(&error, shape.error),
        }
        self.end();
    }

    fn app_error<E>(&self, error: &E, encode: Encode<E>) {
        if let Some(payload) = self.encode(error, encode, "the method's error") {
            self.target.reply(Status::App, payload);
        }
    }

    /// Encodes a part of the answer; if that is impossible the caller is told instead.
    fn encode<T>(&self, value: &T, encode: Encode<T>, what: &str) -> Option<wire::Payload> {
        let mut payload = Scratch::new();
        match encode.encode(value, &mut payload, self.limit) {
            Ok(()) => return Some(payload.into_payload()),
            Err(CodecError::TooLarge { size, limit }) => {
                self.target.reply(Status::TooBig, TooBig::payload(size, limit, what));
            }
            Err(error) => {
                let text = format!("{what} cannot be encoded by the worker: {error}");
                self.target.reply(Status::Undecodable, text.into_bytes());
            }
        }
        None
    }

    fn end(&mut self) {
        self.over = true;
        if let Some(answered) = &self.answered {
            answered.store(true, Ordering::Release);
        }
        match self.one_way {
            Some(bytes) => self.target.settle(bytes),
            None => {
                if self.next_upload < self.target.uploads {
                    self.target.stop_uploads(self.next_upload + 1);
                }
                self.target.close();
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.one_way.is_some() {
            self.end();
        } else if thread::panicking() {
            // Whoever catches the panic tells of it.
            self.target.stop_uploads(self.next_upload.saturating_add(1));
        } else {
            self.target.fail(Status::Cancelled, b"the handler was dropped before it had answered".to_vec());
            self.end();
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("call", &self.target.call).finish_non_exhaustive()
    }
}
