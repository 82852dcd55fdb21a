//! Answers one call.

use std::{
    fmt, thread,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_core::Stream;

use crate::{
    codec::{CodecError, Reader, Undecodable},
    connection::{Incoming, RawReceiver, RawSender, Serial, Shared, TooBig},
    id::CallId,
    proto::{StreamKey, StreamSide},
    server::Upload,
    shape::{Reply, State, Streamed},
    value::{Encode, Item},
    wire::Status,
};

/// The encoded arguments of a call.
#[derive(Debug)]
pub struct Payload(Bytes);

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
    answered: Arc<AtomicBool>,
    over: bool,
}

/// Which call is meant, also after its handler has panicked.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) shared: Arc<Shared>,
    pub(super) call: CallId,
    pub(super) serial: Serial,
    pub(super) one_way: bool,
    pub(super) uploads: u8,
}

impl Incoming {
    /// The encoded arguments, and what answers.
    pub fn split(self) -> (Payload, Answer) {
        let target = self.target();
        let answer = Answer {
            target,
            next_upload: 0,
            one_way: self.call.one_way.then_some(self.call.payload.len()),
            limit: self.limit,
            answered: Arc::default(),
            over: false,
        };
        (Payload(self.call.payload), answer)
    }

    pub(super) fn target(&self) -> Target {
        Target {
            shared: Arc::clone(&self.shared),
            call: self.call.call,
            serial: self.serial,
            one_way: self.call.one_way,
            uploads: self.call.uploads,
        }
    }
}

impl Target {
    /// Sends the call's one reply, unless it has one or is over.
    pub(super) fn reply(&self, status: Status, payload: Vec<u8>) {
        let mut core = self.shared.lock();
        let core = &mut *core;
        if core.terminal.is_some() || !core.served.replies(self.call, self.serial) {
            return;
        }
        if let Err(error) = core.session.reply(self.call, status, payload, false) {
            let too_big = TooBig::new(error.size, error.limit, "the reply").encode();
            // The report is far below any limit that settings can have.
            let _ = core.session.reply(self.call, Status::TooBig, too_big, false);
        }
        self.shared.flush_soon(core);
    }

    /// Ends the call with a failure, wherever it is: instead of a reply, or at the end of its stream.
    pub(super) fn fail(&self, status: Status, payload: Vec<u8>) {
        if self.one_way {
            return;
        }
        let mut core = self.shared.lock();
        if core.served.has_replied(self.call, self.serial) {
            let key = StreamKey { side: StreamSide::Remote, call: self.call, stream: 0 };
            core.session.end_stream(key, status, payload);
            self.shared.flush_soon(&core);
        } else {
            drop(core);
            self.reply(status, payload);
        }
    }

    /// Stops the uploads that nobody has asked for, from the first of them on.
    fn stop_uploads(&self, first: u8) {
        let mut core = self.shared.lock();
        let core = &mut *core;
        if !core.served.is_current(self.call, self.serial) {
            return;
        }
        for stream in first..=self.uploads {
            let key = StreamKey { side: StreamSide::Remote, call: self.call, stream };
            let slot = core.waiting.reader_slot(key);
            if slot.is_some_and(|slot| core.waiting.remove_reader(key, slot)) {
                core.session.stop_stream(key);
            }
        }
        self.shared.flush_soon(core);
    }

    /// Nothing more comes from the handler.
    pub(super) fn close(&self) {
        self.shared.lock().served.finish(self.call, self.serial);
    }

    /// Fails the call from outside its handler, and has the handler dropped.
    pub(super) fn break_off(&self, status: Status, payload: Vec<u8>) {
        self.fail(status, payload);
        self.stop_uploads(1);
        let mut core = self.shared.lock();
        if core.served.is_current(self.call, self.serial) {
            core.served.abort(self.call);
        }
    }
}

impl Answer {
    /// The next stream from the caller.
    pub fn upload<I>(&mut self, item: Item<I>) -> Upload<I> {
        self.next_upload += 1;
        let key = StreamKey { side: StreamSide::Remote, call: self.target.call, stream: self.next_upload };
        let shared = &self.target.shared;
        let slot = shared.lock().waiting.reader_slot(key);
        let receiver = slot.map(|slot| RawReceiver::new(Arc::clone(shared), key, slot));
        Upload::new(receiver, item.decode, self.target.clone(), Arc::clone(&self.answered))
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
        match result {
            Ok(value) => {
                if let Some(payload) = self.encode(&value, shape.value, "the reply") {
                    self.target.reply(Status::Ok, payload);
                }
            }
            Err(error) => self.app_error(&error, shape.error),
        }
        self.end();
    }

    /// A stream, until its end, or the method's error. The stream need not be `'static`.
    pub async fn stream<S: Stream + Send, E>(mut self, result: Result<S, E>, shape: Streamed<S::Item, E>) {
        match result {
            Ok(stream) => {
                if let Some(sender) = self.open_download(Vec::new()) {
                    sender.pump(stream, shape.item).await;
                }
            }
            Err(error) => self.app_error(&error, shape.error),
        }
        self.end();
    }

    /// A value and a stream, until its end, or the method's error.
    pub async fn state<T, S: Stream + Send, E>(
        mut self,
        result: Result<(T, S), E>,
        shape: State<T, S::Item, E>,
    ) {
        match result {
            Ok((value, stream)) => {
                let payload = self.encode(&value, shape.value, "the first value");
                drop(value);
                if let Some(sender) = payload.and_then(|payload| self.open_download(payload)) {
                    sender.pump(stream, shape.item).await;
                }
            }
            Err(error) => self.app_error(&error, shape.error),
        }
        self.end();
    }

    fn app_error<E>(&self, error: &E, encode: Encode<E>) {
        if let Some(payload) = self.encode(error, encode, "the method's error") {
            self.target.reply(Status::AppError, payload);
        }
    }

    /// Encodes a part of the answer; if that is impossible the caller is told instead.
    fn encode<T>(&self, value: &T, encode: Encode<T>, what: &str) -> Option<Vec<u8>> {
        let mut payload = Vec::new();
        match encode.encode(value, &mut payload, self.limit) {
            Ok(()) => return Some(payload),
            Err(CodecError::TooLarge { size, limit }) => {
                self.target.reply(Status::TooBig, TooBig::new(size, limit, what).encode());
            }
            Err(error) => {
                let text = format!("{what} cannot be encoded by the worker: {error}");
                self.target.reply(Status::Undecodable, text.into_bytes());
            }
        }
        None
    }

    /// Sends the reply that a stream follows.
    fn open_download(&self, payload: Vec<u8>) -> Option<RawSender> {
        let Target { shared, call, serial, .. } = &self.target;
        let mut core = shared.lock();
        let core = &mut *core;
        if core.terminal.is_some() || !core.served.replies(*call, *serial) {
            return None;
        }
        match core.session.reply(*call, Status::Ok, payload, true) {
            Ok(()) => {
                let key = StreamKey { side: StreamSide::Remote, call: *call, stream: 0 };
                let sender = RawSender::download(Arc::clone(shared), core, key);
                shared.flush_soon(core);
                Some(sender)
            }
            Err(error) => {
                let too_big = TooBig::new(error.size, error.limit, "the first value").encode();
                let _ = core.session.reply(*call, Status::TooBig, too_big, false);
                shared.flush_soon(core);
                None
            }
        }
    }

    fn end(&mut self) {
        self.over = true;
        self.answered.store(true, Ordering::Release);
        match self.one_way {
            Some(bytes) => {
                let mut core = self.target.shared.lock();
                if core.terminal.is_none() {
                    core.session.settle_one_way(bytes);
                    self.target.shared.flush_soon(&core);
                }
            }
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
