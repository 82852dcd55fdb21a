//! Serving a worker in this process.

use std::{fmt, future::IntoFuture, marker::PhantomData, ops::Deref, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{
    client::Client,
    codec,
    fault::Fault,
    id::WorkerTypeId,
    init::Init,
    process::executable::host,
    registry::Registry,
    runtime,
    server::{Server, ServerConfig},
    settings::Settings,
    spawn::{
        Worker,
        contact::{Contact, draw},
    },
};

/// Why a worker could not be served.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The worker's [`Init`] returned an error or panicked.
    #[error("the worker could not be initialised: {0}")]
    Init(Fault),
    /// Two things in the program have the same identity.
    #[error("{0}")]
    NotRegistered(String),
    /// No socket to listen on, no random bytes, or an argument that cannot be encoded.
    #[error("the worker cannot be served: {0}")]
    System(String),
    /// There is no tokio runtime with I/O and time enabled here.
    #[error(
        "no tokio runtime runs here: serve inside `#[rpc_parallel::main]`, `#[tokio::main]` or `Runtime::block_on`, with I/O and time enabled"
    )]
    NoRuntime,
}

/// A worker that is about to be served in this process: set what has no fitting default, then `.await` it.
///
/// # Cancel safety
///
/// Dropping the future drops the state, if there is one already, and nothing is served.
///
/// # Errors
///
/// [`ServeError`].
#[must_use = "nothing is served before it is awaited"]
pub struct Serve<C> {
    arg: Result<Vec<u8>, String>,
    worker_type: WorkerTypeId,
    worker_type_name: &'static str,
    name: Option<String>,
    settings: Settings,
    client: PhantomData<fn() -> C>,
}

impl<C: Client> Serve<C> {
    pub(super) fn new<W: Init>(arg: &W::Arg) -> Self {
        let mut bytes = Vec::new();
        let arg = codec::encode(arg, &mut bytes, usize::MAX).map(|()| bytes).map_err(|error| error.to_string());
        Self {
            arg,
            worker_type: WorkerTypeId::of::<W>(),
            worker_type_name: std::any::type_name::<W>(),
            name: None,
            settings: Settings::default(),
            client: PhantomData,
        }
    }

    /// A name for errors. Default: the worker's id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The settings of the worker's connections, for whoever connects. Values outside of their bounds are moved into
    /// them. Default: [`Settings::default`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings.bounded();
        self
    }

    async fn start(self) -> Result<Served<C>, ServeError> {
        if !runtime::is_here() {
            return Err(ServeError::NoRuntime);
        }
        let registry = Registry::global().map_err(|error| ServeError::NotRegistered(error.to_string()))?;
        let interface = C::INTERFACE;
        let registration = registry
            .find((self.worker_type, self.worker_type_name), (interface.id, interface.name))
            .map_err(|error| ServeError::NotRegistered(error.to_string()))?;
        let (id, key) = draw().map_err(|error| ServeError::System(error.to_string()))?;
        let arg = self.arg.map_err(|error| ServeError::System(format!("its argument cannot be encoded: {error}")))?;
        let config = ServerConfig { id, name: self.name.clone(), key, settings: self.settings.clone() };
        let server = Server::start(registration, Bytes::from(arg), config).await.map_err(ServeError::Init)?;
        let address = server.listen().map_err(|error| ServeError::System(error.to_string()))?;
        // A request to end, which any client can make, ends this worker and not its host.
        server.end_when_asked();
        let contact = Contact {
            id,
            name: self.name,
            pid: std::process::id(),
            host: host(),
            address,
            key,
            settings: self.settings,
        };
        Ok(Served { worker: Worker::new(contact), server })
    }
}

impl<C: Client> IntoFuture for Serve<C> {
    type Output = Result<Served<C>, ServeError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// Owns a worker that is served in this process. Dropping it takes no further connections; those that are open go on.
///
/// It derefs to the worker's handle, [`Worker`], which can be cloned and sent to other processes.
#[must_use = "no further connections are taken when this is dropped"]
pub struct Served<C> {
    worker: Worker<C>,
    server: Arc<Server>,
}

impl<C> Served<C> {
    /// The worker's handle.
    pub fn worker(&self) -> &Worker<C> {
        &self.worker
    }

    /// Takes no further connections; those that are open go on. Once is enough, more does no harm.
    pub fn close_server(&self) {
        self.server.close_listener();
    }
}

impl<C> Deref for Served<C> {
    type Target = Worker<C>;

    fn deref(&self) -> &Worker<C> {
        &self.worker
    }
}

impl<C> Drop for Served<C> {
    fn drop(&mut self) {
        self.close_server();
    }
}

impl<C> fmt::Debug for Served<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Serve<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("worker_type", &self.worker_type_name).finish_non_exhaustive()
    }
}
