//! Starting workers, and what an idle one holds, beside a bare child of the same program.
//!
//! The bare child answers a byte and does nothing else. Both are ended outside of the measured time. In the placement
//! "a CPU each" all may use both CPUs, since nobody pins what they start.

use std::{
    fs,
    io::{Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rpc_parallel::{Init, Spawn, WorkerContext};

use crate::{
    placement::{self, Placement},
    workloads::Workload,
};

/// The argument that makes this program a bare child.
pub(crate) const ROLE: &str = "--bare-child";

pub(crate) const ALL: [Workload; 3] = [
    Workload { name: "spawn to first reply", run: |p, quick| start(p, quick, 1), show: millis },
    Workload { name: "16 spawned at once", run: |p, quick| start(p, quick, 16), show: millis },
    Workload { name: "resident memory of an idle worker", run: |p, quick| memory(p, quick), show: kib },
];

/// What a bare child does.
pub(crate) fn child() {
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut byte = [0];
    while socket.read_exact(&mut byte).is_ok() && socket.write_all(&byte).is_ok() {}
}

#[rpc_parallel::worker]
trait Idle {
    async fn next(&self, n: u64) -> u64;
    async fn pid(&self) -> u32;
}

struct Idler;

impl Init for Idler {
    type Arg = ();
    type Error = std::convert::Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Idle for Idler {
    async fn next(&self, n: u64) -> u64 {
        n + 1
    }
    async fn pid(&self) -> u32 {
        std::process::id()
    }
}

/// Seconds from the start of so many at once to the reply of the last.
fn start(placement: Placement, quick: bool, at_once: usize) -> (f64, f64) {
    let count = if quick { 2 } else { 64 / at_once + 16 };
    run(placement, || async move {
        end(workers(1).await).await;
        let program = std::env::current_exe().unwrap();
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let begin = Instant::now();
            let workers = workers(at_once).await;
            ours.push(begin.elapsed().as_secs_f64());
            end(workers).await;
            let begin = Instant::now();
            let children = bare_children(&program, at_once);
            bare.push(begin.elapsed().as_secs_f64());
            drop(children);
        }
        (crate::median(ours), crate::median(bare))
    })
}

/// KiB of resident memory after the first reply.
fn memory(placement: Placement, quick: bool) -> (f64, f64) {
    let count = if quick { 1 } else { 4 };
    run(placement, || async move {
        let workers = workers(count).await;
        let children = bare_children(&std::env::current_exe().unwrap(), count);
        let bare = crate::median(children.iter().map(|bare| resident(bare.child.id())).collect());
        let ours = pids(&workers).await.into_iter().map(resident).collect();
        end(workers).await;
        (crate::median(ours), bare)
    })
}

fn run<F: Future<Output = (f64, f64)>>(placement: Placement, work: impl FnOnce() -> F) -> (f64, f64) {
    if placement == Placement::OneCpu {
        placement.pin_caller();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pair = runtime.block_on(work());
    placement::pin_both();
    pair
}

async fn workers(count: usize) -> Vec<IdleClient> {
    join_all((0..count).map(|n| async move {
        let client: IdleClient = Idler::spawn(()).connect().await.unwrap();
        assert_eq!(client.next(n as u64).await.unwrap(), n as u64 + 1);
        client
    }))
    .await
}

async fn pids(workers: &[IdleClient]) -> Vec<u32> {
    join_all(workers.iter().map(|client| async { client.pid().await.unwrap() })).await
}

/// Ends workers and waits until their processes are reaped.
async fn end(workers: Vec<IdleClient>) {
    let pids = pids(&workers).await;
    drop(workers);
    for pid in pids {
        while Path::new(&format!("/proc/{pid}")).exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn bare_children(program: &PathBuf, count: usize) -> Vec<Bare> {
    let mut children: Vec<Bare> = (0..count).map(|_| Bare::start(Command::new(program))).collect();
    for bare in &mut children {
        bare.socket().read_exact(&mut [0]).unwrap();
    }
    children
}

/// A bare child, ended when dropped.
struct Bare {
    socket: Option<UnixStream>,
    child: Child,
}

impl Bare {
    fn start(mut command: Command) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let child = command.arg(ROLE).stdin(Stdio::from(OwnedFd::from(theirs))).spawn().unwrap();
        let mut bare = Self { socket: Some(ours), child };
        bare.socket().write_all(&[1]).unwrap();
        bare
    }

    fn socket(&mut self) -> &mut UnixStream {
        self.socket.as_mut().unwrap()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // The end of the file ends the child.
        self.socket = None;
        let _ = self.child.wait();
    }
}

/// The kernel's exact count; that of `status` is an estimate of some hundred KiB.
fn resident(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn millis(seconds: f64) -> String {
    format!("{:.3} ms", seconds * 1e3)
}

fn kib(kib: f64) -> String {
    format!("{kib:.0} KiB")
}
