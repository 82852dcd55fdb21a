//! The workloads for libraries whose calls are futures.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    future::join_all,
    stream::{self, FuturesUnordered},
};
use tokio::task::{JoinHandle, LocalSet};

use crate::{
    cell::{Cell, ONE_TASK},
    cpu,
    meter::{Cpu, Latencies, measure, since},
    sample::Sample,
    workload::Kind,
};

/// A library whose calls are futures.
pub(crate) trait Peer: Sized + 'static {
    /// What calls. Its clones use the same connection.
    type Client: Clone + 'static;
    /// The worker's process, which ends when this and the clients are dropped.
    type Process;
    /// Whether its futures stay on one thread, in a `LocalSet`.
    const LOCAL: bool = false;

    /// Starts a worker and connects to it.
    fn start(cpu: Option<usize>) -> impl Future<Output = (Self::Process, Self::Client)>;

    fn pid(process: &Self::Process, client: &Self::Client) -> impl Future<Output = u32>;

    /// The call `u64 -> u64`, which gives the next number.
    fn next(client: &Self::Client, n: u64) -> impl Future<Output = u64>;

    /// Makes that many calls, always `width` of them at once, in one task, as is cheapest.
    fn window(client: &Self::Client, width: u64, count: u64) -> impl Future<Output = ()> {
        async move {
            let calls = stream::iter(0..count).map(|n| async move { (n, Self::next(client, n).await) });
            calls.buffer_unordered(width as usize).for_each(|(n, next)| async move { assert_eq!(next, n + 1) }).await;
        }
    }

    /// Does this in a task of its own: `task!()`.
    fn task(client: Self::Client, job: Job) -> JoinHandle<Latencies>;

    /// Reads the stream `0..count`, and gives the sum.
    fn numbers(client: &Self::Client, count: u64) -> impl Future<Output = u64>;

    /// Reads that many items of 64 bytes, and gives how many there were.
    fn blocks(client: &Self::Client, count: u64) -> impl Future<Output = u64>;

    /// Sends bytes there and back, that many times.
    fn echo(client: &Self::Client, variant: &str, size: usize, count: u64) -> impl Future<Output = Latencies>;
}

/// How a library starts a task: with `tokio::spawn`, or with what is given.
macro_rules! task {
    () => {
        crate::asynchronous::task!(tokio::spawn);
    };
    ($spawn:path) => {
        fn task(
            client: Self::Client,
            job: crate::asynchronous::Job,
        ) -> tokio::task::JoinHandle<crate::meter::Latencies> {
            $spawn(async move { job.run::<Self>(&client).await })
        }
    };
}
pub(crate) use task;

/// What a task does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Job {
    /// One call after another, each timed.
    Timed(u64),
    /// One call after another.
    Repeated(u64),
    /// Calls at once.
    Window { width: u64, count: u64 },
}

impl Job {
    pub(crate) async fn run<P: Peer>(self, client: &P::Client) -> Latencies {
        let mut latencies = Vec::new();
        match self {
            Self::Timed(count) => {
                latencies.reserve(count as usize);
                for n in 0..count {
                    let start = Instant::now();
                    assert_eq!(P::next(client, n).await, n + 1);
                    latencies.push(since(start));
                }
            }
            Self::Repeated(count) => {
                for n in 0..count {
                    assert_eq!(P::next(client, n).await, n + 1);
                }
            }
            Self::Window { width, count } => P::window(client, width, count).await,
        }
        latencies
    }
}

/// Runs a cell as the caller.
pub(crate) fn run<P: Peer>(cell: &Cell) -> Sample {
    let cpu = cell.placement.pin_caller();
    let runtime = match cell.workload.threads() {
        // As many as the machine of the published figures has CPUs; a pinned process would get one.
        true => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        false => tokio::runtime::Builder::new_current_thread().enable_all().build(),
    }
    .expect("a runtime");
    let work = work::<P>(cell, cpu);
    match P::LOCAL {
        true => LocalSet::new().block_on(&runtime, work),
        false => runtime.block_on(work),
    }
}

async fn work<P: Peer>(cell: &Cell, cpu: Option<usize>) -> Sample {
    match cell.workload.kind {
        Kind::Spawn { workers } => spawn::<P>(cell.budget, cpu, workers).await,
        Kind::Workers { workers } => call_all::<P>(cell.budget, cpu, workers).await,
        _ => with_one::<P>(cell, cpu).await,
    }
}

async fn with_one<P: Peer>(cell: &Cell, cpu: Option<usize>) -> Sample {
    let (process, client) = P::start(cpu).await;
    assert_eq!(P::next(&client, 1).await, 2);
    let pid = P::pid(&process, &client).await;
    let (budget, spent) = (cell.budget, Cpu::Workers(vec![pid]));
    let client = &client;
    match cell.workload.kind {
        Kind::Sequential { threads } => {
            measure(budget, 1, spent, async |count| run_job::<P>(client, Job::Timed(count), threads).await).await
        }
        Kind::InFlight { width, threads } if cell.variant == ONE_TASK => {
            measure(budget, width, spent, async |count| {
                run_job::<P>(client, Job::Window { width, count }, threads).await
            })
            .await
        }
        Kind::InFlight { width, .. } => {
            measure(budget, width, spent, async |count| {
                let tasks: FuturesUnordered<_> =
                    (0..width).map(|_| P::task(client.clone(), Job::Repeated(count / width))).collect();
                tasks.for_each(|done| async { drop(done.expect("a task does not panic")) }).await;
                Latencies::new()
            })
            .await
        }
        Kind::Numbers => {
            measure(budget, 1000, spent, async |count| {
                assert_eq!(P::numbers(client, count).await, count * (count - 1) / 2);
                Latencies::new()
            })
            .await
        }
        Kind::Blocks => {
            measure(budget, 1000, spent, async |count| {
                assert_eq!(P::blocks(client, count).await, count);
                Latencies::new()
            })
            .await
        }
        Kind::Echo { size } => {
            measure(budget, 1, spent, async |count| P::echo(client, &cell.variant, size, count).await).await
        }
        Kind::Memory => Sample::kib(cpu::resident(pid)),
        Kind::Spawn { .. } | Kind::Workers { .. } => unreachable!("these have no single worker"),
    }
}

async fn run_job<P: Peer>(client: &P::Client, job: Job, threads: bool) -> Latencies {
    match threads {
        true => P::task(client.clone(), job).await.expect("a task does not panic"),
        false => job.run::<P>(client).await,
    }
}

async fn spawn<P: Peer>(budget: Duration, cpu: Option<usize>, workers: usize) -> Sample {
    measure(budget, 1, Cpu::Children, async |count| {
        let mut latencies = Latencies::new();
        for _ in 0..count {
            let start = Instant::now();
            let one = async || {
                let (process, client) = P::start(cpu).await;
                assert_eq!(P::next(&client, 1).await, 2);
                (process, client)
            };
            let all = join_all((0..workers).map(|_| one())).await;
            latencies.push(since(start));
            drop(all);
            // What the end of these costs is not for the next ones to pay.
            while cpu::has_children() {
                cpu::give_way();
                tokio::task::yield_now().await;
            }
        }
        latencies
    })
    .await
}

async fn call_all<P: Peer>(budget: Duration, cpu: Option<usize>, workers: usize) -> Sample {
    let all = join_all((0..workers).map(|_| P::start(cpu))).await;
    let pids = join_all(all.iter().map(|(process, client)| P::pid(process, client))).await;
    let all = &all;
    measure(budget, 1, Cpu::Workers(pids), async |count| {
        let mut latencies = Latencies::with_capacity(count as usize);
        for n in 0..count {
            let start = Instant::now();
            let replies = join_all(all.iter().map(|(_, client)| P::next(client, n))).await;
            latencies.push(since(start));
            assert!(replies.iter().all(|&next| next == n + 1));
        }
        latencies
    })
    .await
}
