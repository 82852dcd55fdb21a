//! What to spawn, and how.

use std::{ffi::OsString, fmt, future::IntoFuture, marker::PhantomData, path::PathBuf, time::Duration};

use futures_util::future::BoxFuture;

use crate::{
    bootstrap::Ending,
    client::Client,
    codec,
    connection::ConnectError,
    id::WorkerTypeId,
    init::Init,
    process::{Redirect, Stderr},
    settings::Settings,
    spawn::{SpawnError, Spawned, Worker, connect, plan::Plan},
};

/// A worker that is about to be spawned: set what has no fitting default, then `.await` it.
///
/// How it is awaited decides how the worker ends and what there is to hold:
///
/// | awaited as | gives | the worker ends |
/// |---|---|---|
/// | `Tally::spawn(arg).await` | [`Spawned`] | when that is dropped, or with this process |
/// | `Tally::spawn(arg).connect().await` | the client | when the client's connection ends, or with this process |
/// | `Tally::spawn(arg).detach().await` | [`Worker`] | on [`Worker::shutdown`] alone |
///
/// This process may end in any way, by `SIGKILL` too.
///
/// The thread that awaits it starts the process, as with `std::process::Command`: the worker inherits that thread's CPU
/// affinity, priority and directory, and the thread waits for the kernel, some 0.1 ms, until the program runs. On Linux a
/// worker that somebody has stopped (`SIGSTOP`) may be continued when that thread ends.
///
/// # Cancel safety
///
/// Dropping the future ends the worker, however far its start has come.
///
/// # Errors
///
/// [`SpawnError`], which has everything up to the point at which the worker is ready: no process, no entry, an early
/// death, an [`Init`] that fails, too little time. No process is left then.
///
/// ```no_run
/// # use std::convert::Infallible;
/// use std::time::Duration;
///
/// use rpc_parallel::{Redirect, Spawn, SpawnError};
/// # use rpc_parallel::{Init, WorkerContext, worker};
/// # #[worker]
/// # trait Render {
/// #     fn frame(&self, n: u32) -> Vec<u8>;
/// # }
/// # struct Renderer;
/// # impl Init for Renderer {
/// #     type Arg = String;
/// #     type Error = Infallible;
/// #     async fn init(_: String, _: &WorkerContext) -> Result<Self, Infallible> { Ok(Self) }
/// # }
/// # #[worker]
/// # impl Render for Renderer {
/// #     fn frame(&self, n: u32) -> Vec<u8> { vec![n as u8] }
/// # }
///
/// # async fn start() -> Result<(), SpawnError> {
/// let renderer = Renderer::spawn("scene.json".into())
///     .name("renderer")
///     .env("LC_ALL", "C")
///     .current_dir("/tmp")
///     .stdout(Redirect::Append("renderer.log".into()))
///     .start_timeout(Duration::from_secs(5))
///     .await?;
/// # drop(renderer); Ok(()) }
/// ```
#[must_use = "no worker is started before the builder is awaited"]
pub struct Spawning<C> {
    plan: Plan,
    client: PhantomData<fn() -> C>,
}

impl<C: Client> Spawning<C> {
    pub(super) fn new<W: Init>(arg: &W::Arg) -> Self {
        let mut bytes = Vec::new();
        let arg = codec::encode(arg, &mut bytes, usize::MAX).map(|()| bytes).map_err(|error| error.to_string());
        let plan = Plan::new(WorkerTypeId::of::<W>(), std::any::type_name::<W>(), arg);
        Self { plan, client: PhantomData }
    }

    /// A name for errors, for the lines on stderr and for `ps`. Default: the worker's id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.plan.name = Some(name.into());
        self
    }

    /// Sets an environment variable of the worker, beside those that it inherits. The last of several for the same
    /// variable counts. The library's own, `RPC_PARALLEL_WORKER`, is refused with [`SpawnError::BadRequest`].
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.plan.env.push((key.into(), value.into()));
        self
    }

    /// The worker's working directory. Default: ours.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.plan.current_dir = Some(directory.into());
        self
    }

    /// Where the worker's stdout goes. Default: where ours goes; for a detached worker nowhere once we have ended.
    pub fn stdout(mut self, redirect: Redirect) -> Self {
        self.plan.stdout = redirect;
        self
    }

    /// Where the worker's stderr goes. Default: line by line to our stderr, with the worker's name in front, and the
    /// last 20 lines are kept for its death report. With another choice the report has no lines.
    pub fn stderr(mut self, redirect: Redirect) -> Self {
        self.plan.stderr = Stderr::To(redirect);
        self
    }

    /// Keeps the worker's last lines on stderr for its death report, and shows none of them.
    pub fn capture_stderr(mut self) -> Self {
        self.plan.stderr = Stderr::Capture;
        self
    }

    /// Runs this program rather than a copy of the running one. It must link the same worker and call
    /// `#[rpc_parallel::main]` or [`init`](crate::init).
    pub fn executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.plan.executable = Some(path.into());
        self
    }

    /// The settings of the worker's connections, for whoever connects. Values outside of their bounds are moved into
    /// them.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.plan.settings = settings.bounded();
        self
    }

    /// How many threads the worker's runtime has. Default 1: its methods run concurrently, not in parallel, which is
    /// the fastest for short ones; those that compute belong into plain `fn` methods, which have threads of their
    /// own. With more, methods run in parallel. 0 counts as 1.
    pub fn threads(mut self, threads: usize) -> Self {
        self.plan.threads = threads.max(1);
        self
    }

    /// How long the worker may take until it is ready, its [`Init`] included, and with [`connect`](Self::connect) the
    /// state of the connection. Default 30 s.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.plan.start_timeout = limit;
        self
    }

    /// How long the worker may take to end when it is asked to, before it is killed. Default 5 s.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.plan.grace = limit;
        self
    }

    /// Binds the worker to the client that this gives: it ends when the connection does.
    pub fn connect(self) -> SpawningConnected<C>
    where
        C: Client<ConnectArg = ()>,
    {
        self.connect_with(())
    }

    /// Like [`connect`](Self::connect), for a trait that asks for an argument.
    pub fn connect_with(self, arg: C::ConnectArg) -> SpawningConnected<C> {
        let arg = connect::encode(&arg);
        SpawningConnected { spawn: self, arg }
    }

    /// Lets the worker outlive this process: it ends when it is asked to, see [`Worker::shutdown`], and otherwise
    /// never.
    pub fn detach(self) -> SpawningDetached<C> {
        SpawningDetached { spawn: self }
    }
}

impl<C: Client> IntoFuture for Spawning<C> {
    type Output = Result<Spawned<C>, SpawnError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let launched = self.plan.launched(C::INTERFACE, Ending::Master);
        Box::pin(async move { Ok(Spawned::new(launched.await?)) })
    }
}

/// A worker that is about to be spawned and connected to, bound to its client. Made by [`Spawning::connect`].
#[must_use = "no worker is started before the builder is awaited"]
pub struct SpawningConnected<C> {
    spawn: Spawning<C>,
    arg: Result<Vec<u8>, ConnectError>,
}

impl<C: Client> IntoFuture for SpawningConnected<C> {
    type Output = Result<C, SpawnError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let connected = self.spawn.plan.connected(C::INTERFACE, self.arg);
        Box::pin(async move { Ok(C::from_core(connected.await?)) })
    }
}

/// A worker that is about to be spawned and to outlive this process. Made by [`Spawning::detach`].
#[must_use = "no worker is started before the builder is awaited"]
pub struct SpawningDetached<C> {
    spawn: Spawning<C>,
}

impl<C: Client> IntoFuture for SpawningDetached<C> {
    type Output = Result<Worker<C>, SpawnError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let launched = self.spawn.plan.launched(C::INTERFACE, Ending::Request);
        Box::pin(async move { Ok(Spawned::new(launched.await?).release()) })
    }
}

impl<C> fmt::Debug for Spawning<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawning")
            .field("worker_type", &self.plan.worker_type_name)
            .field("name", &self.plan.name)
            .finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for SpawningConnected<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawningConnected").field("spawn", &self.spawn).finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for SpawningDetached<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawningDetached").field("spawn", &self.spawn).finish_non_exhaustive()
    }
}
