//! Serves the calls of one connection.

use std::{
    any::Any,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, OnceLock},
};

use crate::{
    codec,
    connection::{Incoming, Service, Target},
    fault::Fault,
    handler::Dispatch,
    id::{FunctionId, InterfaceId},
    panic::catch_future,
    registry::{Registration, Registry},
    server::{
        Server,
        builtin::{self, OpenFailure, OpenReply, OpenRequest},
        dispatch,
    },
    wire::{Status, cut_text},
};

/// One client's view of a worker: nothing but [`builtin::OPEN`] until that has succeeded, then one trait.
pub(crate) struct Serving {
    server: Arc<Server>,
    opened: Arc<OnceLock<Opened>>,
    opening: bool,
}

struct Opened {
    dispatch: Arc<dyn Dispatch>,
    /// Ids are hashes already.
    index: HashMap<FunctionId, usize, BuildHasherDefault<Verbatim>>,
}

impl Serving {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self { server, opened: Arc::default(), opening: false }
    }

    fn open(&mut self, incoming: &Incoming) {
        let target = &incoming.target;
        // Two at once must not both succeed.
        if self.opening {
            return refuse(target, OpenFailure::Again);
        }
        let request: OpenRequest = match codec::decode(&incoming.payload) {
            Ok(request) => request,
            Err(error) => return incoming.refuse(Status::Undecodable, error.to_string().into_bytes()),
        };
        let Some(registration) = self.server.registration(request.interface) else {
            return refuse(target, OpenFailure::NotServed { served: self.server.served() });
        };
        self.opening = true;
        let (server, opened) = (Arc::clone(&self.server), Arc::clone(&self.opened));
        let (opening, target) = (target, target.clone());
        let task = tokio::spawn(async move {
            let state = Arc::clone(&server.state);
            let made = catch_future((registration.open)(state, request.arg.into())).await;
            let dispatch = match made {
                Ok(Ok(dispatch)) => dispatch,
                Ok(Err(fault)) => return refuse(&target, OpenFailure::Refused(fault)),
                Err(report) => return refuse(&target, OpenFailure::Refused(Fault::new(report.to_string()))),
            };
            let mismatched = mismatched(registration, &request.signatures);
            let functions = dispatch.functions();
            let index = functions.iter().enumerate().map(|(index, function)| (function.id, index)).collect();
            // Set before the reply, after which the client's first call may come.
            let _ = opened.set(Opened { dispatch: Arc::from(dispatch), index });
            target.reply(Status::Ok, postcard::to_stdvec(&OpenReply { mismatched }).unwrap_or_default());
            target.close();
        });
        // A client that is gone needs no state.
        opening.attach(task.abort_handle());
    }

    fn shut_down(&self, incoming: &Incoming) {
        // A message that is not settled would hold up the close that it asks for.
        incoming.target.settle(incoming.payload.len());
        self.server.shutdown();
    }
}

/// A connection whose opening failed stays unopened: the client closes it.
fn refuse(target: &Target, mut failure: OpenFailure) {
    let limit = target.shared.lock().session.message_limit();
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
    target.reply(Status::App, payload);
    target.close();
}

fn mismatched(registration: &Registration, signatures: &[(FunctionId, u64)]) -> Vec<FunctionId> {
    let functions = registration.interface.functions;
    let same = |id: FunctionId, signature: u64| {
        functions.iter().any(|function| function.id == id && function.signature == signature)
    };
    signatures.iter().filter(|(id, signature)| !same(*id, *signature)).map(|(id, _)| *id).collect()
}

impl Service for Serving {
    fn start(&mut self, incoming: Incoming) {
        let function = incoming.function;
        if let builtin::OPEN | builtin::SHUTDOWN = function
            && (incoming.target.one_way != (function == builtin::SHUTDOWN) || incoming.target.uploads > 0)
        {
            return incoming.refuse(Status::Mismatch, b"a built-in function is called in another way".to_vec());
        }
        let Some(opened) = self.opened.get() else {
            match function {
                builtin::OPEN => self.open(&incoming),
                builtin::SHUTDOWN => self.shut_down(&incoming),
                _ => {
                    let text = "the connection has no state yet: a client must open it before it calls a function";
                    incoming.refuse(Status::Refused, text.into());
                }
            }
            return;
        };
        match opened.index.get(&function) {
            Some(index) => dispatch::run(&opened.dispatch, *index, incoming),
            None if function == builtin::OPEN => refuse(&incoming.target, OpenFailure::Again),
            None if function == builtin::SHUTDOWN => self.shut_down(&incoming),
            None => unknown(&incoming, opened),
        }
    }
}

fn unknown(incoming: &Incoming, opened: &Opened) {
    let names: Vec<&str> = opened.dispatch.functions().iter().map(|function| function.name).collect();
    let text = format!(
        "the worker has no function with the id {}; it has {}; if the caller runs another build, rebuild both from \
         the same source",
        incoming.function,
        names.join(", ")
    );
    incoming.refuse(Status::Mismatch, text.into_bytes());
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
    fn start(&mut self, incoming: Incoming) {
        incoming.refuse(Status::Refused, b"a client serves no functions".to_vec());
    }
}

impl Server {
    fn registration(&self, interface: InterfaceId) -> Option<&'static Registration> {
        Registry::global().ok()?.get(self.worker_type, interface)
    }

    /// The traits that the worker serves, in words.
    fn served(&self) -> String {
        let Ok(registry) = Registry::global() else { return "nothing".to_owned() };
        let ours = registry.registrations().iter().filter(|one| (one.worker_type)() == self.worker_type);
        let names: Vec<_> = ours.map(|one| format!("`{}`", one.interface.name)).collect();
        names.join(", ")
    }
}
