//! A program whose cost can be counted: it makes some calls to a worker of its own and says what they took.
//!
//! `rpc-parallel-counts WORKLOAD UNITS`
//!
//! What it does beside the units is the same for any number of them, so that the difference of two runs is the cost of the
//! units alone, also for whoever counts from outside.

mod allocations;
mod workloads;

use std::time::Duration;

use rpc_parallel::{Client, Settings, Spawn};
use tokio::runtime::Builder;

use allocations::Counting;
use workloads::{Counted, CountedClient, Workload};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("a workload");
    let units = args.next().and_then(|units| units.parse().ok()).expect("a number of units");
    let workload = Workload::named(&name).expect("a workload that there is");
    let mut builder = match workload.multi_thread {
        true => Builder::new_multi_thread(),
        false => Builder::new_current_thread(),
    };
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    // In a task: `block_on` polls on a thread of its own, which is not how calls of a program are usually made.
    let task = runtime.spawn(run(workload, units));
    runtime.block_on(task).expect("no panic");
}

async fn run(workload: &'static Workload, units: usize) {
    // Not `/proc/self/exe`: under an instrumentation tool that would be the tool.
    let executable = std::env::current_exe().expect("a program");
    // How often one looks for what comes next depends on the time that the other side takes: that is no count.
    let mut settings = Settings::default();
    settings.spin = Duration::ZERO;
    let worker = Counted::spawn(()).settings(settings).executable(executable).await.expect("a worker");
    let client = worker.connect().await.expect("a connection");
    // A worker's lifeline gets its thread a little after the start. Once and not in a loop, of which each turn would count.
    tokio::time::sleep(STARTED).await;
    let threads = std::fs::read_dir(format!("/proc/{}/task", worker.pid())).expect("the worker's threads").count();
    assert_eq!(threads, 2, "the worker's own, and its lifeline's");
    // Tables and buffers reach their size.
    (workload.run)(client.clone(), WARM_UP).await;
    let before = Counts::take(&client).await;
    (workload.run)(client.clone(), units).await;
    let after = Counts::take(&client).await;
    println!("pid {}", std::process::id());
    println!("allocations-caller {}", after.caller - before.caller);
    println!("allocations-worker {}", after.worker - before.worker);
    println!("bytes {}", after.bytes - before.bytes);
    drop(client);
    let report = worker.shutdown().await;
    assert!(report.exit.is_success(), "{report}");
}

/// Much longer than a start takes, also under a tool that slows it down.
const STARTED: Duration = Duration::from_millis(500);

/// Units before the counting starts.
const WARM_UP: usize = 20;

struct Counts {
    caller: u64,
    worker: u64,
    bytes: u64,
}

impl Counts {
    async fn take(client: &CountedClient) -> Self {
        let worker = client.allocations().await.expect("a count");
        let traffic = client.traffic();
        Self { caller: allocations::count(), worker, bytes: traffic.sent + traffic.received }
    }
}
