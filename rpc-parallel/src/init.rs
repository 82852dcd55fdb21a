//! Worker state and connection state: what the functions of a worker run on.

use std::{convert::Infallible, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Fault, WorkerId};

/// Worker state: made once in the worker, from the argument of `spawn` or `serve`.
///
/// ```
/// use rpc_parallel::{Init, WorkerContext};
///
/// struct Tally {
///     start: u64,
/// }
///
/// impl Init for Tally {
///     type Arg = u64;
///     type Error = std::io::Error;
///
///     async fn init(start: u64, _cx: &WorkerContext) -> Result<Self, Self::Error> {
///         Ok(Self { start })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be spawned: it has no initial state",
    label = "write `impl rpc_parallel::Init for {Self}`",
    note = "`Init` makes the worker's state from the argument of `spawn`; a type that is made once for each connection implements `rpc_parallel::ConnectionState` instead"
)]
pub trait Init: Sized + Send + Sync + 'static {
    /// The argument of `spawn` and `serve`.
    type Arg: Serialize + DeserializeOwned + Send + 'static;
    /// Why there may be no worker: any [`std::error::Error`], a [`Fault`], or [`Infallible`].
    type Error: Into<Fault>;

    /// Makes the state. It runs in the worker, before anyone can call it.
    ///
    /// # Errors
    ///
    /// An error, and a panic too, is the spawner's [`SpawnError::Init`](crate::SpawnError::Init), and ends the process.
    /// It has as long as [`start_timeout`](crate::Spawning::start_timeout) allows.
    fn init(arg: Self::Arg, cx: &WorkerContext) -> impl Future<Output = Result<Self, Self::Error>> + Send;
}

/// Connection state: what the functions of *one* connection run on.
///
/// Every [`Init`] type is the state of all connections to it, with nothing to write. A worker trait that is implemented
/// for a type of its own per connection is served by the worker of [`Worker`](Self::Worker) and asks for an argument
/// at `connect`: `#[rpc_parallel::worker(connect = Type)]` on the trait.
///
/// ```
/// use std::{convert::Infallible, sync::Arc};
/// # use rpc_parallel::{ConnectionState, Init, WorkerContext};
/// # struct Chat;
/// # impl Init for Chat {
/// #     type Arg = ();
/// #     type Error = Infallible;
/// #     async fn init(_: (), _: &WorkerContext) -> Result<Self, Infallible> { Ok(Self) }
/// # }
///
/// struct Guest {
///     room: Arc<Chat>,
///     name: String,
/// }
///
/// impl ConnectionState for Guest {
///     type Worker = Chat;
///     type Arg = String;
///     type Error = Infallible;
///
///     async fn open(room: &Arc<Chat>, name: String) -> Result<Arc<Self>, Infallible> {
///         Ok(Arc::new(Self { room: Arc::clone(room), name }))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be spawned: it has no initial state",
    label = "write `impl rpc_parallel::Init for {Self}`",
    note = "`Init` makes the worker's state from the argument of `spawn`; a type that is made once for each connection implements `rpc_parallel::ConnectionState` instead"
)]
pub trait ConnectionState: Sized + Send + Sync + 'static {
    /// The worker's state.
    type Worker: Init;
    /// The argument of `connect`, named by `#[worker(connect = ..)]` on the trait.
    type Arg: Serialize + DeserializeOwned + Send + 'static;
    /// Why a connection may be refused.
    type Error: Into<Fault>;

    /// Makes the state of a new connection. It is dropped when the connection has ended and no handler uses it any more.
    ///
    /// # Errors
    ///
    /// An error is the caller's [`ConnectError::Refused`](crate::ConnectError::Refused); the worker lives on.
    fn open(
        worker: &Arc<Self::Worker>,
        arg: Self::Arg,
    ) -> impl Future<Output = Result<Arc<Self>, Self::Error>> + Send;
}

#[diagnostic::do_not_recommend]
impl<T: Init> ConnectionState for T {
    type Worker = T;
    type Arg = ();
    type Error = Infallible;

    async fn open(worker: &Arc<T>, (): ()) -> Result<Arc<T>, Infallible> {
        Ok(Arc::clone(worker))
    }
}

/// What a worker knows of itself while its state is made.
#[derive(Clone, Debug)]
pub struct WorkerContext {
    id: WorkerId,
    name: Option<String>,
}

impl WorkerContext {
    pub(crate) fn new(id: WorkerId, name: Option<String>) -> Self {
        Self { id, name }
    }

    /// The worker's id.
    pub fn id(&self) -> WorkerId {
        self.id
    }

    /// The name that it was given when it was spawned or served.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}
