//! Serves the calls of one connection.

use std::{
    any::Any,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    codec,
    connection::{Calls, Incoming, Service, Shared, Target},
    fault::Fault,
    handler::{Dispatch, Started},
    id::{FunctionId, InterfaceId},
    panic::catch_future,
    registry::{Registration, Registry},
    runtime,
    server::{
        Server,
        builtin::{self, OpenAnswer, OpenFailure, OpenReply, OpenRequest},
        dispatch::{self, Entered, Used},
    },
    wire::{Status, cut_text},
};

/// One client's view of a worker: nothing but [`builtin::OPEN`] until that has succeeded, then one trait.
pub(crate) struct Serving {
    server: Arc<Server>,
    opened: Option<Opened>,
    opening: bool,
    /// Where a request to open puts what it has made.
    made: Made,
    /// The function that was called last, and its index: the next call is often of the same one.
    last: (FunctionId, usize),
    used: Option<Used>,
}

struct Opened {
    dispatch: Box<dyn Dispatch>,
    index: Index,
}

type Made = Arc<Mutex<Option<Opened>>>;

/// Ids are hashes already.
type Index = HashMap<FunctionId, usize, BuildHasherDefault<Verbatim>>;

impl Serving {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        let last = (FunctionId::from_raw(0), usize::MAX);
        Self { server, opened: None, opening: false, made: Arc::default(), last, used: None }
    }

    /// Answers a request to open before there is a connection, and gives what serves it then.
    pub(crate) async fn opened(server: Arc<Server>, request: &[u8]) -> (Self, OpenAnswer) {
        let mut serving = Self::new(Arc::clone(&server));
        let answer = async {
            let request: OpenRequest = codec::decode(request)
                .map_err(|error| OpenFailure::Refused(Fault::new(format!("the request to open: {error}"))))?;
            let registration = server
                .registration(request.interface)
                .ok_or_else(|| OpenFailure::NotServed { served: server.served() })?;
            make(&server, registration, request).await.map_err(OpenFailure::Refused)
        };
        let answer = match answer.await {
            Ok((made, reply)) => {
                serving.opened = Some(made);
                Ok(reply)
            }
            Err(failure) => Err(encode_failure(failure, FAILURE_LIMIT)),
        };
        serving.opening = true;
        (serving, answer)
    }

    fn open(&mut self, connection: &Arc<Shared>, incoming: &Incoming<'_>) {
        let target = &incoming.target(connection);
        // Two at once must not both succeed.
        if self.opening {
            return refuse(target, OpenFailure::Again);
        }
        let request: OpenRequest = match codec::decode(incoming.payload.bytes()) {
            Ok(request) => request,
            Err(error) => return incoming.refuse(connection, Status::Undecodable, error.to_string().into_bytes()),
        };
        let Some(registration) = self.server.registration(request.interface) else {
            return refuse(target, OpenFailure::NotServed { served: self.server.served() });
        };
        self.opening = true;
        let (server, place) = (Arc::clone(&self.server), Arc::clone(&self.made));
        let (opening, target) = (target, target.clone());
        let task = runtime::spawn(Box::pin(async move {
            let (made, reply) = match make(&server, registration, request).await {
                Ok(made) => made,
                Err(fault) => return refuse(&target, OpenFailure::Refused(fault)),
            };
            // Set before the reply, after which the client's first call may come.
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
            target.reply(Status::Ok, reply);
            target.close();
        }));
        // A client that is gone needs no state.
        opening.attach(task);
    }

    fn shut_down(&self, connection: &Arc<Shared>, incoming: &Incoming<'_>) {
        // A message that is not settled would hold up the close that it asks for.
        incoming.target(connection).settle(incoming.payload.bytes().len());
        self.server.shutdown();
    }
}

/// Makes a connection's state, and the reply that says so.
async fn make(
    server: &Server,
    registration: &'static Registration,
    request: OpenRequest,
) -> Result<(Opened, Vec<u8>), Fault> {
    let state = Arc::clone(&server.state);
    let dispatch = match catch_future((registration.open)(state, request.arg.into())).await {
        Ok(dispatch) => dispatch?,
        Err(report) => return Err(Fault::new(report.to_string())),
    };
    let functions = dispatch.functions();
    let index: Index = functions.iter().enumerate().map(|(index, function)| (function.id, index)).collect();
    let same = |id, signature| index.get(id).is_some_and(|index| functions[*index].signature == signature);
    let theirs = request.signatures.iter();
    let mismatched = theirs.filter(|(id, signature)| !same(id, *signature)).map(|(id, _)| *id).collect();
    let reply = postcard::to_stdvec(&OpenReply { mismatched }).unwrap_or_default();
    Ok((Opened { dispatch, index }, reply))
}

/// A connection whose opening failed stays unopened: the client closes it.
fn refuse(target: &Target, failure: OpenFailure) {
    let limit = target.shared.message_limit();
    target.reply(Status::App, encode_failure(failure, limit));
    target.close();
}

/// The longest failure that a spawner is told in full.
const FAILURE_LIMIT: usize = 1 << 20;

fn encode_failure(mut failure: OpenFailure, limit: usize) -> Vec<u8> {
    let encode = |failure: &OpenFailure| postcard::to_stdvec(failure).unwrap_or_default();
    let mut payload = encode(&failure);
    if payload.len() > limit {
        // That it is a refusal must not get lost.
        failure = match failure {
            OpenFailure::Refused(fault) => OpenFailure::Refused(fault.cut(limit / 2)),
            OpenFailure::NotServed { served } => {
                OpenFailure::NotServed { served: format!("{}..", cut_text(&served, limit / 2)) }
            }
            OpenFailure::Again => OpenFailure::Again,
        };
        payload = encode(&failure);
    }
    payload
}

impl Service for Serving {
    fn serve(&mut self, calls: Calls<'_>) {
        calls.for_each(self, Self::start, Self::start);
    }
}

impl Serving {
    #[inline(always)]
    fn start(&mut self, connection: &Arc<Shared>, incoming: &mut Incoming<'_>) {
        match &mut self.used {
            Some(used) if used.function == incoming.function => match used.enter(incoming) {
                Entered::Again => {}
                entered => self.leave(&entered),
            },
            _ => self.start_any(connection, incoming),
        }
    }

    /// The place of the last call is not used again.
    fn leave(&mut self, entered: &Entered) {
        if let Some(used) = self.used.take()
            && *entered == Entered::Pending
        {
            used.go_on();
        }
    }

    /// Starts to work on a call of another function than the last one.
    fn start_any(&mut self, connection: &Arc<Shared>, incoming: &mut Incoming<'_>) {
        let function = incoming.function;
        if self.opened.is_none() {
            self.take_made();
        }
        let Some(Opened { dispatch, index }) = &self.opened else {
            return self.start_other(connection, incoming);
        };
        let known = match self.last {
            (last, known) if last == function && known != usize::MAX => Some(known),
            _ => index.get(&function).copied(),
        };
        let Some(known) = known else { return self.start_other(connection, incoming) };
        self.last = (function, known);
        match dispatch.start(known, incoming) {
            Started::Over(work) => dispatch::go_on(work),
            Started::Here(place) => {
                let entered = self.used.insert(Used::new(function, place)).enter(incoming);
                if entered != Entered::Again {
                    self.leave(&entered);
                }
            }
        }
    }

    /// A request to open may have succeeded.
    #[cold]
    fn take_made(&mut self) {
        self.opened = self.made.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Starts to work on a call that is none of the worker trait's.
    #[cold]
    fn start_other(&mut self, connection: &Arc<Shared>, incoming: &mut Incoming<'_>) {
        if !incoming.note() {
            return;
        }
        let incoming = &*incoming;
        let function = incoming.function;
        if let builtin::OPEN | builtin::SHUTDOWN = function
            && (incoming.one_way != (function == builtin::SHUTDOWN) || incoming.uploads > 0)
        {
            let text = b"a built-in function is called in another way".to_vec();
            return incoming.refuse(connection, Status::Mismatch, text);
        }
        match (function, &self.opened) {
            (builtin::SHUTDOWN, _) => self.shut_down(connection, incoming),
            (builtin::OPEN, None) => self.open(connection, incoming),
            (builtin::OPEN, Some(_)) => refuse(&incoming.target(connection), OpenFailure::Again),
            (_, Some(opened)) => unknown(connection, incoming, opened),
            (_, None) => {
                let text = "the connection has no state yet: a client must open it before it calls a function";
                incoming.refuse(connection, Status::Refused, text.into());
            }
        }
    }
}

fn unknown(connection: &Arc<Shared>, incoming: &Incoming<'_>, opened: &Opened) {
    let names: Vec<&str> = opened.dispatch.functions().iter().map(|function| function.name).collect();
    let text = format!(
        "the worker has no function with the id {}; it has {}; if the caller runs another build, rebuild both from \
         the same source",
        incoming.function,
        names.join(", ")
    );
    incoming.refuse(connection, Status::Mismatch, text.into_bytes());
}

/// Takes a hash for what it is.
#[derive(Default)]
struct Verbatim(u64);

impl Hasher for Verbatim {
    fn write(&mut self, bytes: &[u8]) {
        // Nothing but ids comes here.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Serves nothing: what a client's side of a connection does with calls that arrive there.
#[derive(Debug)]
pub(crate) struct ServesNothing {
    /// What is to be dropped with the connection.
    pub(crate) _bound: Option<Box<dyn Any + Send>>,
}

impl Service for ServesNothing {
    fn serve(&mut self, calls: Calls<'_>) {
        calls.for_each(self, Self::refuse, Self::refuse);
    }
}

impl ServesNothing {
    fn refuse(&mut self, connection: &Arc<Shared>, incoming: &mut Incoming<'_>) {
        if incoming.note() {
            incoming.refuse(connection, Status::Refused, b"a client serves no functions".to_vec());
        }
    }
}

impl Server {
    fn registration(&self, interface: InterfaceId) -> Option<&'static Registration> {
        if self.registration.interface.id == interface {
            return Some(self.registration);
        }
        Registry::pick((self.registration.worker_type_name)(), interface)
    }

    /// The traits that the worker serves, in words.
    fn served(&self) -> String {
        let Ok(registry) = Registry::global() else { return "nothing".to_owned() };
        let name = (self.registration.worker_type_name)();
        let ours = registry.registrations().iter().filter(|one| (one.worker_type_name)() == name);
        let names: Vec<_> = ours.map(|one| format!("`{}`", one.interface.name)).collect();
        names.join(", ")
    }
}
