//! The owner of a spawned worker.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    client::Client,
    death::DeathReport,
    process::{OwnedProcess, Process},
    spawn::{
        Connect, Worker,
        connect::{self, First, Inherited},
        plan::Launched,
    },
};

/// Owns a worker's process: dropping it ends the worker.
///
/// It derefs to the worker's handle, [`Worker`], which can be cloned and sent to other processes.
#[must_use = "the worker is ended when this is dropped"]
pub struct Spawned<C> {
    worker: Worker<C>,
    owned: OwnedProcess,
    /// The connection that the worker inherited, for the first client.
    first: Mutex<Option<First>>,
}

impl<C: Client> Spawned<C> {
    pub(super) fn new(launched: Launched) -> Self {
        let Launched { contact, owned, first } = launched;
        Self { worker: Worker::new(contact), owned, first: Mutex::new(Some(first)) }
    }

    /// The worker's handle.
    pub fn worker(&self) -> &Worker<C> {
        &self.worker
    }

    /// Connects to the worker. If the worker's process ends, what is pending on the client learns how, with the last lines
    /// on stderr; a client of the bare [`Worker`] learns less, see
    /// [`CallError::WorkerDied`](crate::CallError::WorkerDied).
    ///
    /// # Errors
    ///
    /// See [`ConnectError`](crate::ConnectError). Cancel safety: dropping the future closes the connection.
    pub fn connect(&self) -> Connect<C>
    where
        C: Client<ConnectArg = ()>,
    {
        self.connect_with(())
    }

    /// Connects to a worker whose trait asks for an argument, see [`ConnectionState`](crate::ConnectionState).
    pub fn connect_with(&self, arg: C::ConnectArg) -> Connect<C> {
        let arg = connect::encode(&arg);
        self.connect_as(arg)
    }

    /// Connects to another trait that the same worker serves. One that it does not serve is
    /// [`ConnectError::NotServed`](crate::ConnectError::NotServed).
    pub fn connect_to<D: Client<ConnectArg = ()>>(&self) -> Connect<D> {
        self.connect_as(connect::encode(&()))
    }

    fn connect_as<D: Client>(&self, arg: Result<Vec<u8>, crate::ConnectError>) -> Connect<D> {
        let first = self.take_first();
        let process = self.process().clone();
        let contact = Arc::clone(&self.worker.inner);
        Connect::new(contact, arg, Some(Inherited { first, process, bound: None }))
    }

    /// Waits for the end of the worker's process, without asking for it. Cancel safe.
    pub async fn exit(&self) -> DeathReport {
        self.process().exit().await
    }

    /// How the worker's process ended, if it has.
    pub fn try_exit(&self) -> Option<DeathReport> {
        self.process().try_exit()
    }

    /// Asks the worker to end and waits until its process is gone. Calls that are under way have a second to finish;
    /// after the [`grace`](crate::Spawning::grace) time the process is killed.
    ///
    /// Cancel safety: the worker ends even if the future is dropped.
    pub async fn shutdown(self) -> DeathReport {
        let process = self.process().clone();
        process.shutdown();
        process.exit().await
    }

    /// Kills the worker, and the processes that it has started, and waits until they are gone.
    ///
    /// Cancel safety: the worker is killed even if the future is dropped.
    pub async fn kill(self) -> DeathReport {
        let process = self.process().clone();
        process.kill();
        process.exit().await
    }

    fn process(&self) -> &Process {
        self.owned.process()
    }

    fn take_first(&self) -> Option<First> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives up the ownership.
    pub(super) fn release(self) -> Worker<C> {
        self.owned.release();
        self.worker
    }
}

impl<C> Deref for Spawned<C> {
    type Target = Worker<C>;

    fn deref(&self) -> &Worker<C> {
        &self.worker
    }
}

impl<C> fmt::Debug for Spawned<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawned").field("worker", &self.worker).finish_non_exhaustive()
    }
}
