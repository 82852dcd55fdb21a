//! The workers.

use std::{
    convert::Infallible,
    future::pending,
    hint::black_box,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use rpc_parallel::{Init, Spawn, Spawned, WorkerContext};
use rustix::process::{Signal, getpid, kill_process};

use crate::say;

/// Whether a worker gets through its initialisation.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
pub(crate) enum Start {
    Ready,
    Stuck,
}

#[rpc_parallel::worker]
pub(crate) trait Limb {
    /// Starts two workers, tells them to do the same with one level less, and says `grown` afterwards.
    async fn grow(&self, levels: u32);
    /// Starts a plain program.
    async fn start_program(&self) -> u32;
    /// Computes for ever without awaiting.
    async fn compute(&self);
    /// Blocks the runtime for ever.
    async fn block(&self);
    /// Stops the whole process.
    async fn stop(&self);
    /// Starts one worker after another, and drops them.
    async fn spawn_on(&self);
    /// Starts a worker that never is ready.
    async fn spawn_stuck(&self);
    /// Takes SIGTERM for nothing from now on.
    async fn ignore_term(&self);
}

#[derive(Default)]
pub(crate) struct Branch {
    branches: Mutex<Vec<Spawned<LimbClient>>>,
    programs: Mutex<Vec<Child>>,
}

impl Init for Branch {
    type Arg = Start;
    type Error = Infallible;

    async fn init(start: Start, _: &WorkerContext) -> Result<Self, Infallible> {
        if matches!(start, Start::Stuck) {
            say("in init");
            pending::<()>().await;
        }
        Ok(Self::default())
    }
}

#[rpc_parallel::worker]
impl Limb for Branch {
    async fn grow(&self, levels: u32) {
        // Boxed, as the type of the future would contain itself.
        let grown: BoxFuture<'_, ()> = Box::pin(async move {
            if levels > 0 {
                join_all((0..2).map(|_| async {
                    let branch = Self::spawn(Start::Ready).await.unwrap();
                    let client = branch.connect().await.unwrap();
                    self.branches.lock().unwrap_or_else(PoisonError::into_inner).push(branch);
                    client.grow(levels - 1).await.unwrap();
                }))
                .await;
            }
        });
        grown.await;
        say("grown");
    }

    async fn start_program(&self) -> u32 {
        let program = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
        let pid = program.id();
        self.programs.lock().unwrap_or_else(PoisonError::into_inner).push(program);
        say("program");
        pid
    }

    async fn compute(&self) {
        say("computing");
        loop {
            black_box(0);
        }
    }

    async fn block(&self) {
        say("blocking");
        thread::sleep(Duration::from_secs(1000));
    }

    async fn stop(&self) {
        say("stopping");
        kill_process(getpid(), Signal::STOP).unwrap();
    }

    async fn spawn_on(&self) {
        say("spawning");
        loop {
            drop(Self::spawn::<LimbClient>(Start::Ready).await);
        }
    }

    async fn spawn_stuck(&self) {
        drop(Self::spawn::<LimbClient>(Start::Stuck).await);
    }

    async fn ignore_term(&self) {
        // SAFETY: ignoring a signal has no precondition.
        unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    }
}
