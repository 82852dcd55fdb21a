//! Whether what a call costs stays the same where there are many: calls, connections, workers, streams.
//!
//! `cargo bench -p rpc-parallel-tests --bench growth [-- --only in-flight|connections|workers|streams]` prints the tables;
//! without `--only` it also writes docs/growth.md and its charts.

mod connections;
mod cost;
mod growth;
mod in_flight;
mod limit;
mod page;
mod streams;
mod worker;
mod workers;

use growth::Growth;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

fn main() {
    // `cargo test --benches` runs this with `--test`: a few of each show that it works.
    let quick = std::env::args().any(|arg| arg == "--test");
    let only = std::env::args().skip_while(|arg| arg != "--only").nth(1);
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name == only);
    let largest = |full: usize| if quick { 10 } else { full };
    pin();
    allow_descriptors();
    let mut all = Vec::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if wanted("in-flight") {
        all.push(shown(runtime().block_on(in_flight::measure(largest(100_000)))));
    }
    if wanted("connections") {
        all.push(shown(runtime().block_on(connections::measure(largest(1000)))));
    }
    if wanted("workers") {
        all.push(shown(runtime().block_on(workers::measure(largest(600)))));
    }
    if wanted("streams") {
        all.push(shown(runtime().block_on(streams::measure(largest(10_000)))));
    }
    if only.is_none() && !quick {
        page::write(&all);
    }
}

fn shown(growth: Growth) -> Growth {
    println!("{}", growth.table());
    growth
}

/// Keeps this process and its workers on one CPU: on several it is chance who waits for whom.
fn pin() {
    let usable = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| usable.is_set(*cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(None, &one).unwrap();
}

/// A worker, or a connection, needs a few descriptors each.
fn allow_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}
