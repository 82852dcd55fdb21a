//! The one thread that starts, watches and reaps all children.
//!
//! It never ends. The signal that a child gets at its parent's death comes, on Linux, at the death of the *thread* that
//! started it; and who owns all children can reap each of them, whatever became of the handles.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread,
};

use tokio::sync::mpsc;

use super::{
    request::Request,
    spawn,
    stderr::{Relay, start_relay},
};
use crate::runtime;

/// Gives the keeper a request, and starts the keeper at the first.
pub(super) fn submit(request: Request) -> io::Result<()> {
    let mut keeper = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    let keeper = match &mut *keeper {
        Some(keeper) => keeper,
        none => none.insert(Keeper::start()?),
    };
    // A fork without exec copies this memory, but not the thread.
    if keeper.process != std::process::id() {
        return Err(io::Error::other("this process was forked, without exec, from one that has launched workers"));
    }
    keeper.requests.send(request).map_err(|_| io::Error::other("it has ended"))
}

static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);

struct Keeper {
    requests: mpsc::UnboundedSender<Request>,
    process: u32,
}

impl Keeper {
    fn start() -> io::Result<Self> {
        // Made here, so that a lack of descriptors is an error and not the end of the thread.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let relay = start_relay()?;
        let (requests, incoming) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("rpc-parallel keeper".into())
            .spawn(move || runtime::run(&runtime, keep(incoming, relay)))?;
        Ok(Self { requests, process: std::process::id() })
    }
}

async fn keep(mut requests: mpsc::UnboundedReceiver<Request>, relay: Relay) {
    while let Some(request) = requests.recv().await {
        if !request.refusal.is_closed() {
            spawn::start(request, &relay);
        }
    }
}
