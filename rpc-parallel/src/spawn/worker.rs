//! The handle of a worker.

use std::{
    fmt,
    future::IntoFuture,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{
    client::Client,
    connection::{ConnectError, Terminal},
    id::WorkerId,
    settings::Settings,
    spawn::{
        connect::{self, Inherited},
        contact::Contact,
    },
    transport::Address,
};

/// Names a worker, wherever it runs: what a process needs to connect to it.
///
/// It is serialisable, so that workers can be told of each other, printable, and cheap to clone. It names the
/// interface, `C`, not the implementation. It owns nothing: the worker's life is decided by how it was spawned.
///
/// The serialised form contains the key that the worker asks its clients for. Whoever holds it can call the worker,
/// if they run as the same user; treat it like a password.
#[derive(Deserialize, Serialize)]
#[serde(bound = "")]
pub struct Worker<C> {
    pub(crate) inner: Arc<Contact>,
    #[serde(skip)]
    client: PhantomData<fn() -> C>,
}

impl<C> Worker<C> {
    pub(crate) fn new(contact: Contact) -> Self {
        Self { inner: Arc::new(contact), client: PhantomData }
    }

    /// Which worker this is, among all that ever were.
    pub fn id(&self) -> WorkerId {
        self.inner.id
    }

    /// The name that it was given.
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// The id of the process in which it runs.
    pub fn pid(&self) -> u32 {
        self.inner.pid
    }

    /// The name of the machine on which it runs.
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// The settings of its connections.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The same worker, seen as one of another trait. Whether it serves that is found out when connecting.
    pub fn interface<D: Client>(&self) -> Worker<D> {
        Worker { inner: Arc::clone(&self.inner), client: PhantomData }
    }
}

impl<C: Client> Worker<C> {
    /// Connects to the worker. Any number of connections from any process is fine; each has a connection state of
    /// its own.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`]. Cancel safety: dropping the future closes the connection.
    pub fn connect(&self) -> Connect<C>
    where
        C: Client<ConnectArg = ()>,
    {
        self.connect_with(())
    }

    /// Connects to a worker whose trait asks for an argument, see
    /// [`ConnectionState`](crate::ConnectionState).
    ///
    /// # Errors
    ///
    /// [`ConnectError::Refused`] if the connection state's `open` fails, and as for [`connect`](Self::connect).
    pub fn connect_with(&self, arg: C::ConnectArg) -> Connect<C> {
        Connect::new(Arc::clone(&self.inner), connect::encode(&arg), None)
    }

    /// Asks the worker to end. `Ok` means that the request is on its way; to be sure of the end, wait for
    /// [`Spawned::exit`](crate::Spawned::exit) or for the end of a connection.
    ///
    /// A worker that is served in this or another process with [`serve`](crate::Spawn::serve) stops serving; the
    /// process goes on.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if the worker cannot be reached. Cancel safety: the request may or may not be made.
    pub async fn shutdown(&self) -> Result<(), ConnectError> {
        connect::shutdown(&self.inner).await
    }
}

impl<C: Client<ConnectArg = ()>> Worker<C> {
    /// Connects, runs `f` with the client, and closes the connection when `f` is through.
    ///
    /// Streams that `f` has obtained must be read inside of it. Cancel safety: dropping the future drops `f`'s, and with
    /// its last client the connection.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] if the worker cannot be reached; what `f` returns is the value.
    pub async fn with_client<T>(&self, f: impl AsyncFnOnce(C) -> T) -> Result<T, ConnectError> {
        let client = self.connect().await?;
        let value = f(client.clone()).await;
        client.close();
        Ok(value)
    }
}

/// A future that connects to a worker.
#[must_use = "nothing is connected before it is awaited"]
pub struct Connect<C> {
    future: BoxFuture<'static, Result<C, ConnectError>>,
}

impl<C: Client> Connect<C> {
    pub(super) fn new(
        contact: Arc<Contact>,
        arg: Result<Vec<u8>, ConnectError>,
        inherited: Option<Inherited>,
    ) -> Self {
        let connecting = connect::connecting(contact, C::INTERFACE, arg, inherited);
        Self { future: Box::pin(async move { Ok(C::from_core(connecting.await?)) }) }
    }
}

impl<C> IntoFuture for Connect<C> {
    type Output = Result<C, ConnectError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.future
    }
}

impl<C> fmt::Debug for Connect<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect")
    }
}

impl<C> Clone for Worker<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), client: PhantomData }
    }
}

impl<C> PartialEq for Worker<C> {
    fn eq(&self, other: &Self) -> bool {
        self.inner.id == other.inner.id
    }
}

impl<C> Eq for Worker<C> {}

impl<C> Hash for Worker<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.id.hash(state);
    }
}

impl<C> fmt::Display for Worker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.describe())
    }
}

impl<C> fmt::Debug for Worker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_struct("Worker")
            .field("id", &self.inner.id)
            .field("name", &self.inner.name)
            .field("pid", &self.inner.pid)
            .field("address", &self.inner.address)
            .finish_non_exhaustive()
    }
}

impl From<Terminal> for ConnectError {
    fn from(terminal: Terminal) -> Self {
        Self::from_terminal(terminal)
    }
}
