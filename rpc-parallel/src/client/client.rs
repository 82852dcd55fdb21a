//! What every generated client can do beside its methods.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    connection::{Connection, ConnectionLost, Traffic},
    function::{Function, Interface},
    id::{FunctionId, WorkerId},
};

/// What a generated client is made of.
#[derive(Clone, Debug)]
pub struct ClientCore {
    connection: Connection,
    worker: WorkerId,
    /// Functions whose signature differs at the worker, where another build serves.
    mismatched: Arc<[FunctionId]>,
}

impl ClientCore {
    pub(crate) fn new(connection: Connection, worker: WorkerId, mismatched: Arc<[FunctionId]>) -> Self {
        Self { connection, worker, mismatched }
    }

    #[inline]
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether all functions are the same at the worker.
    #[inline]
    pub(crate) fn is_matched(&self) -> bool {
        self.mismatched.is_empty()
    }

    #[inline]
    pub(crate) fn check(&self, function: &Function) -> Result<(), String> {
        if self.is_matched() { Ok(()) } else { self.check_mismatched(function) }
    }

    #[cold]
    #[inline(never)]
    fn check_mismatched(&self, function: &Function) -> Result<(), String> {
        if !self.mismatched.contains(&function.id) {
            return Ok(());
        }
        Err(format!(
            "`{}` has another signature at the worker, which runs another build; rebuild both from the same source",
            function.name
        ))
    }
}

/// The connection behind a generated client.
///
/// Every `FooClient` implements it. Its functions live in a trait, so that a worker trait may have methods of the
/// same names.
pub trait Client: Clone + Send + Sync + 'static {
    /// What [`Worker::connect_with`](crate::Worker::connect_with) takes: `()` unless the trait asks for more.
    type ConnectArg: Serialize + DeserializeOwned + Send;

    /// The trait that the client calls.
    const INTERFACE: &'static Interface;

    #[doc(hidden)]
    fn from_core(core: ClientCore) -> Self;

    #[doc(hidden)]
    fn core(&self) -> &ClientCore;

    /// Which worker this is.
    fn worker_id(&self) -> WorkerId {
        self.core().worker
    }

    /// Closes the connection now. Calls and streams that are open on it, by whichever clone of the client, end with
    /// an error. The worker lives on, unless its life was bound to this connection.
    fn close(&self) {
        self.close_with("the client was closed");
    }

    /// Closes the connection and tells the worker why.
    fn close_with(&self, reason: &str) {
        self.core().connection.close(reason);
    }

    /// Takes no further calls, waits for those that are open, at most `limit`, then closes the connection.
    ///
    /// Cancel safety: once called, the connection closes even if the future is dropped.
    fn close_gracefully(&self, limit: Duration) -> impl Future<Output = ConnectionLost> + Send {
        let connection = &self.core().connection;
        connection.close_gracefully(limit, "the client was closed");
        let shared = Arc::clone(connection.shared());
        async move { shared.closed().await.into() }
    }

    /// Waits until the connection has ended, by whichever side, and tells why.
    fn closed(&self) -> impl Future<Output = ConnectionLost> + Send {
        let shared = Arc::clone(self.core().connection.shared());
        async move { shared.closed().await.into() }
    }

    /// Why the connection ended, if it has.
    fn close_reason(&self) -> Option<ConnectionLost> {
        self.core().connection.terminal().map(Into::into)
    }

    /// Whether the connection has ended or takes no further calls.
    fn is_closed(&self) -> bool {
        self.core().connection.is_closed()
    }

    /// When the worker was heard last on this connection.
    fn last_seen_alive(&self) -> Instant {
        self.core().connection.last_heard()
    }

    /// How many bytes this connection has carried.
    fn traffic(&self) -> Traffic {
        self.core().connection.traffic()
    }

    /// The connection in a sentence, for logs: who is at the other end, which build, which version of the protocol.
    fn description(&self) -> String {
        self.core().connection.describe()
    }
}
