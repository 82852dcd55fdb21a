//! One worker that serves, wherever it runs.

use std::{
    fmt, io,
    os::unix::net::UnixStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    build::build_id,
    connection::{Establish, Shared, establish},
    fault::Fault,
    id::WorkerId,
    init::WorkerContext,
    panic::catch_future,
    proto::Side,
    registry::{AnyState, Registration},
    runtime,
    server::service::Serving,
    settings::Settings,
    transport::{Address, Listener, Socket},
};

/// Everything that describes a worker before it has a state.
#[derive(Clone)]
pub(crate) struct ServerConfig {
    pub(crate) id: WorkerId,
    pub(crate) name: Option<String>,
    pub(crate) key: [u8; 32],
    pub(crate) settings: Settings,
}

/// A worker: its state, and the connections to it.
pub(crate) struct Server {
    pub(super) state: AnyState,
    /// The implementation that it was started for. Its type may serve other traits as well.
    pub(super) registration: &'static Registration,
    config: ServerConfig,
    connections: Mutex<Vec<Weak<Shared>>>,
    /// How far the worker's end has come.
    phase: watch::Sender<Phase>,
}

/// How far a worker's end has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phase {
    Serving,
    /// New connections are refused; those that are open go on.
    NotAccepting,
    /// The worker is asked to end.
    ShuttingDown,
}

impl Server {
    /// Makes the worker's state. A panic in it is its error.
    pub(crate) async fn start(
        registration: &'static Registration,
        arg: Bytes,
        config: ServerConfig,
    ) -> Result<Arc<Self>, Fault> {
        let context = WorkerContext::new(config.id, config.name.clone());
        let state = match catch_future((registration.init)(arg, context)).await {
            Ok(state) => state?,
            Err(report) => return Err(Fault::new(report.to_string())),
        };
        Ok(Arc::new(Self {
            state,
            registration,
            config,
            connections: Mutex::default(),
            phase: watch::Sender::new(Phase::Serving),
        }))
    }

    /// Takes connections of other processes from now on, until the server is closed.
    pub(crate) fn listen(self: &Arc<Self>) -> io::Result<Address> {
        let listener = Listener::bind(self.config.id)?;
        let address = listener.address().clone();
        let server = Arc::clone(self);
        runtime::spawn(Box::pin(async move {
            let mut phase = server.phase.subscribe();
            loop {
                let stream = tokio::select! {
                    _ = phase.wait_for(|phase| *phase > Phase::Serving) => return,
                    stream = listener.accept() => stream,
                };
                // Who connects after the server was closed must not be served because we learn of it later.
                if *phase.borrow() > Phase::Serving {
                    return;
                }
                match stream.and_then(|stream| server.attach(stream)) {
                    Ok(_) => {}
                    // Out of descriptors, most likely: others may be closed meanwhile.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                }
            }
        }));
        Ok(address)
    }

    /// Serves a connected socket.
    fn attach(self: &Arc<Self>, stream: UnixStream) -> io::Result<Arc<Shared>> {
        self.serve(stream, None, Serving::new(Arc::clone(self)))
    }

    /// Serves a connected socket like this. The peer introduces itself, unless it is known to be the process with this
    /// pid, see [`Establish::acquainted`].
    pub(crate) fn serve(
        &self,
        stream: UnixStream,
        acquainted: Option<u32>,
        serving: Serving,
    ) -> io::Result<Arc<Shared>> {
        let shared = establish(Establish {
            side: Side::Acceptor,
            socket: Socket::new(stream)?,
            settings: self.config.settings.clone(),
            build: build_id(),
            worker: self.config.id,
            key: self.config.key,
            acquainted,
            peer: "a client".to_owned(),
            service: Box::new(serving),
            death: None,
        })?;
        let mut connections = self.connections();
        // Forgotten in bulk, so that many short connections cost constant time each.
        if connections.len() == connections.capacity() {
            connections.retain(|connection| connection.strong_count() > 0);
        }
        connections.push(Arc::downgrade(&shared));
        drop(connections);
        // Whoever closes all connections may have taken the list a moment ago.
        if *self.phase.borrow() == Phase::ShuttingDown {
            shared.close_gracefully(CLOSE_LIMIT, CLOSE_REASON);
        }
        Ok(shared)
    }

    /// Takes no further connections; those that are open go on.
    pub(crate) fn close_listener(&self) {
        self.advance(Phase::NotAccepting);
    }

    /// Asks the worker to end.
    pub(crate) fn shutdown(&self) {
        self.advance(Phase::ShuttingDown);
    }

    /// Waits until the worker is asked to end.
    pub(crate) async fn shutdown_requested(&self) {
        // The sender lives as long as we do.
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::ShuttingDown).await;
    }

    /// Ends the connections when the worker is asked to end, and keeps it no longer than they do.
    pub(crate) fn end_when_asked(self: &Arc<Self>) {
        let (mut phase, server) = (self.phase.subscribe(), Arc::downgrade(self));
        runtime::spawn(Box::pin(async move {
            if phase.wait_for(|phase| *phase == Phase::ShuttingDown).await.is_ok()
                && let Some(server) = server.upgrade()
            {
                server.close_connections(CLOSE_LIMIT, CLOSE_REASON).await;
            }
        }));
    }

    /// Closes all connections: at once, or with a moment for what is under way.
    pub(crate) async fn close_connections(&self, limit: Duration, reason: &str) {
        let connections: Vec<_> = self.connections().drain(..).filter_map(|weak| weak.upgrade()).collect();
        for connection in &connections {
            connection.close_gracefully(limit, reason);
        }
        for connection in connections {
            connection.closed().await;
        }
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let further = to > *phase;
            *phase = to.max(*phase);
            further
        });
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Weak<Shared>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.config.id).finish_non_exhaustive()
    }
}

/// How long the calls that are open at the worker's end may take to finish. A second is enough for what is about to
/// finish anyway; a spawner's own limit comes later.
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// What the clients are told then.
pub(crate) const CLOSE_REASON: &str = "the worker is shutting down";

/// How long to wait after a connection could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
