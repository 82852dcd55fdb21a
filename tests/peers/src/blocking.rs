//! The workloads for what blocks.

use std::time::{Duration, Instant};

use crate::{
    cell::Cell,
    cpu,
    meter::{Cpu, Latencies, measure, now, since},
    sample::Sample,
    workload::Kind,
};

/// A library whose calls block, or the limit.
pub(crate) trait Blocking: Sized {
    /// Starts a worker. Its first reply is not there yet.
    fn start(cpu: Option<usize>) -> Self;

    /// Waits for its first reply.
    fn ready(&mut self);

    fn pid(&self) -> u32;

    /// That many single calls follow.
    fn expect(&mut self, _calls: u64) {}

    fn send(&mut self, n: u64);

    fn receive(&mut self) -> u64;

    /// Makes that many calls, `width` of them at once.
    fn window(&mut self, width: u64, count: u64);

    /// Reads the stream `0..count`, and gives the sum.
    fn numbers(&mut self, count: u64) -> u64;

    /// Reads that many items of 64 bytes, and gives how many there were.
    fn blocks(&mut self, count: u64) -> u64;

    /// Sends bytes there and back, that many times.
    fn echo(&mut self, variant: &str, size: usize, count: u64) -> Latencies;
}

/// Runs a cell as the caller.
pub(crate) fn run<B: Blocking>(cell: &Cell) -> Sample {
    let cpu = cell.placement.pin_caller();
    match cell.workload.kind {
        Kind::Spawn { workers } => spawn::<B>(cell.budget, cpu, workers),
        Kind::Workers { workers } => call_all::<B>(cell.budget, cpu, workers),
        _ => with_one::<B>(cell, cpu),
    }
}

fn with_one<B: Blocking>(cell: &Cell, cpu: Option<usize>) -> Sample {
    let mut worker = B::start(cpu);
    worker.ready();
    let pid = worker.pid();
    let measure = |step, run: &mut dyn FnMut(u64) -> Latencies| {
        now(measure(cell.budget, step, Cpu::Workers(vec![pid]), async |count| run(count)))
    };
    match cell.workload.kind {
        Kind::Sequential { .. } => measure(1, &mut |count| {
            worker.expect(count);
            (0..count).map(|n| timed(|| call(&mut worker, n))).collect()
        }),
        Kind::InFlight { width, .. } => measure(width, &mut |count| {
            worker.window(width, count);
            Latencies::new()
        }),
        Kind::Numbers => measure(1000, &mut |count| {
            assert_eq!(worker.numbers(count), count * (count - 1) / 2);
            Latencies::new()
        }),
        Kind::Blocks => measure(1000, &mut |count| {
            assert_eq!(worker.blocks(count), count);
            Latencies::new()
        }),
        Kind::Echo { size } => measure(1, &mut |count| worker.echo(&cell.variant, size, count)),
        Kind::Memory => Sample::kib(cpu::resident(pid)),
        Kind::Spawn { .. } | Kind::Workers { .. } => unreachable!("these have no single worker"),
    }
}

fn call<B: Blocking>(worker: &mut B, n: u64) {
    worker.send(n);
    assert_eq!(worker.receive(), n + 1);
}

fn timed(operation: impl FnOnce()) -> u32 {
    let start = Instant::now();
    operation();
    since(start)
}

fn spawn<B: Blocking>(budget: Duration, cpu: Option<usize>, workers: usize) -> Sample {
    now(measure(budget, 1, Cpu::Children, async |count| {
        let mut latencies = Latencies::new();
        for _ in 0..count {
            let start = Instant::now();
            let mut all: Vec<B> = (0..workers).map(|_| B::start(cpu)).collect();
            all.iter_mut().for_each(B::ready);
            latencies.push(since(start));
            drop(all);
            while cpu::has_children() {
                cpu::give_way();
            }
        }
        latencies
    }))
}

fn call_all<B: Blocking>(budget: Duration, cpu: Option<usize>, workers: usize) -> Sample {
    let mut all: Vec<B> = (0..workers).map(|_| B::start(cpu)).collect();
    all.iter_mut().for_each(B::ready);
    let pids = all.iter().map(B::pid).collect();
    now(measure(budget, 1, Cpu::Workers(pids), async |count| {
        all.iter_mut().for_each(|worker| worker.expect(count));
        let round = |n| {
            timed(|| {
                all.iter_mut().for_each(|worker| worker.send(n));
                assert!(all.iter_mut().all(|worker| worker.receive() == n + 1));
            })
        };
        (0..count).map(round).collect()
    }))
}
