//! What to spawn, and how.

use std::{
    ffi::OsString,
    fmt,
    future::IntoFuture,
    marker::PhantomData,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;

use crate::{
    bootstrap::{Charge, Ending, Ready},
    build::build_id,
    client::Client,
    codec,
    connection::ConnectError,
    cpus,
    id::WorkerTypeId,
    init::Init,
    power,
    process::{Launch, OnMasterLoss, Program, Redirect, Stderr, launch},
    registry::Registry,
    runtime,
    server::OpenAnswer,
    settings::Settings,
    spawn::{
        SpawnError, Spawned, Worker,
        connect::{self, First, Inherited},
        contact::{Contact, draw},
    },
    transport::Address,
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
    arg: Result<Vec<u8>, String>,
    worker_type: WorkerTypeId,
    worker_type_name: &'static str,
    name: Option<String>,
    env: Vec<(OsString, OsString)>,
    current_dir: Option<PathBuf>,
    stdout: Redirect,
    stderr: Stderr,
    executable: Option<PathBuf>,
    settings: Settings,
    threads: usize,
    start_timeout: Duration,
    grace: Duration,
    client: PhantomData<fn() -> C>,
}

impl<C: Client> Spawning<C> {
    pub(super) fn new<W: Init>(arg: &W::Arg) -> Self {
        let mut bytes = Vec::new();
        let arg = codec::encode(arg, &mut bytes, usize::MAX).map(|()| bytes).map_err(|error| error.to_string());
        Self {
            arg,
            worker_type: WorkerTypeId::of::<W>(),
            worker_type_name: std::any::type_name::<W>(),
            name: None,
            env: Vec::new(),
            current_dir: None,
            stdout: Redirect::Inherit,
            stderr: Stderr::Relay,
            executable: None,
            settings: Settings::default(),
            threads: 1,
            start_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            client: PhantomData,
        }
    }

    /// A name for errors, for the lines on stderr and for `ps`. Default: the worker's id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets an environment variable of the worker, beside those that it inherits. The last of several for the same
    /// variable counts. The library's own, `RPC_PARALLEL_WORKER`, is refused with [`SpawnError::BadRequest`].
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// The worker's working directory. Default: ours.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(directory.into());
        self
    }

    /// Where the worker's stdout goes. Default: where ours goes; for a detached worker nowhere once we have ended.
    pub fn stdout(mut self, redirect: Redirect) -> Self {
        self.stdout = redirect;
        self
    }

    /// Where the worker's stderr goes. Default: line by line to our stderr, with the worker's name in front, and the
    /// last 20 lines are kept for its death report. With another choice the report has no lines.
    pub fn stderr(mut self, redirect: Redirect) -> Self {
        self.stderr = Stderr::To(redirect);
        self
    }

    /// Keeps the worker's last lines on stderr for its death report, and shows none of them.
    pub fn capture_stderr(mut self) -> Self {
        self.stderr = Stderr::Capture;
        self
    }

    /// Runs this program rather than a copy of the running one. It must link the same worker and call
    /// `#[rpc_parallel::main]` or [`init`](crate::init).
    pub fn executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.executable = Some(path.into());
        self
    }

    /// The settings of the worker's connections, for whoever connects. Values outside of their bounds are moved into
    /// them.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings.bounded();
        self
    }

    /// How many threads the worker's runtime has. Default 1: its methods run concurrently, not in parallel, which is
    /// the fastest for short ones; those that compute belong into plain `fn` methods, which have threads of their
    /// own. With more, methods run in parallel. 0 counts as 1.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// How long the worker may take until it is ready, its [`Init`] included, and with [`connect`](Self::connect) the
    /// state of the connection. Default 30 s.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// How long the worker may take to end when it is asked to, before it is killed. Default 5 s.
    pub fn grace(mut self, limit: Duration) -> Self {
        self.grace = limit;
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

    /// Starts the worker, and has it open the first connection like this.
    async fn launch(
        self,
        ending: Ending,
        opening: Option<Vec<u8>>,
    ) -> Result<(Spawned<C>, Option<OpenAnswer>), SpawnError> {
        if !runtime::is_here() {
            return Err(SpawnError::NoRuntime);
        }
        let system =
            |error: std::io::Error| SpawnError::NotStarted { what: "a worker".to_owned(), error: Arc::new(error) };
        let (id, key) = draw().map_err(system)?;
        let arg = self.arg.map_err(|error| SpawnError::BadRequest(format!("the argument of the worker: {error}")))?;
        let same_image = self.executable.is_none();
        if same_image {
            Registry::global().map_err(|error| SpawnError::NotRegistered(error.to_string()))?;
        }
        let charge = Charge {
            id,
            name: self.name.clone(),
            worker_type: self.worker_type,
            worker_type_name: self.worker_type_name.to_owned(),
            interface: C::INTERFACE.id,
            interface_name: C::INTERFACE.name.to_owned(),
            build: same_image.then(build_id),
            key,
            cpus: cpus::online(),
            on_battery: power::on_battery(Instant::now()),
            settings: self.settings.clone(),
            ending,
            threads: self.threads,
            opening,
            arg,
        };
        let ticket =
            charge.encode().map_err(|error| SpawnError::BadRequest(format!("the worker's ticket: {error}")))?;
        let label = self.name.clone().unwrap_or_else(|| id.to_string());
        let mut request = Launch::new(label.clone(), ticket);
        request.program = self.executable.map_or(Program::SameImage, Program::Path);
        request.env = self.env;
        request.current_dir = self.current_dir;
        request.stdout = self.stdout;
        request.stderr = self.stderr;
        request.start_timeout = self.start_timeout;
        request.grace = self.grace;
        request.on_master_loss = match ending {
            Ending::Request => OnMasterLoss::Survive,
            Ending::FirstConnection | Ending::Master => OnMasterLoss::End,
        };
        let (process, ready, socket) =
            launch(request).await.map_err(|error| SpawnError::from_launch(&label, error))?;
        let owned = process.owned();
        let ready = Ready::decode(&ready)
            .map_err(|error| SpawnError::System { name: label, text: format!("its greeting is garbled: {error}") })?;
        let contact = Contact {
            id,
            name: self.name,
            pid: process.pid(),
            host: process.host().to_owned(),
            address: ready.address.unwrap_or_else(Address::of_nobody),
            key,
            settings: self.settings,
        };
        Ok((Spawned::new(Worker::new(contact), owned, First { socket, same_image }), ready.opened))
    }
}

impl<C: Client> IntoFuture for Spawning<C> {
    type Output = Result<Spawned<C>, SpawnError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.launch(Ending::Master, None).await?.0) })
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
        Box::pin(async move {
            let arg = self.arg?;
            // Of another program it is not known whether the signatures have to go along.
            let opening = match self.spawn.executable {
                None => Some(connect::request(C::INTERFACE, arg.clone(), Vec::new())?),
                Some(_) => None,
            };
            let opening = opening.filter(|request| request.len() <= SMALL_OPENING);
            let (spawned, opened) = self.spawn.launch(Ending::FirstConnection, opening).await?;
            let first = spawned.take_first();
            let process = spawned.process().clone();
            // The worker sees by itself that its connection has ended, unless it is busy: then it is killed in the end.
            let (worker, owned) = spawned.into_parts();
            let inherited = Inherited { first, process, bound: Some(owned) };
            Ok(match opened {
                Some(answer) => connect::connect_opened(&worker.inner, answer, inherited).await?,
                None => connect::connect(&worker.inner, arg, Some(inherited)).await?,
            })
        })
    }
}

/// A request to open a trait goes with the ticket up to this size, which no settings refuse. A larger one is a call like
/// others.
const SMALL_OPENING: usize = 1 << 10;

/// A worker that is about to be spawned and to outlive this process. Made by [`Spawning::detach`].
#[must_use = "no worker is started before the builder is awaited"]
pub struct SpawningDetached<C> {
    spawn: Spawning<C>,
}

impl<C: Client> IntoFuture for SpawningDetached<C> {
    type Output = Result<Worker<C>, SpawnError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.spawn.launch(Ending::Request, None).await?.0.release()) })
    }
}

impl<C> fmt::Debug for Spawning<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawning")
            .field("worker_type", &self.worker_type_name)
            .field("name", &self.name)
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
