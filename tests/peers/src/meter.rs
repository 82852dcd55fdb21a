//! How long a measurement is, and what it gives.

use std::time::{Duration, Instant};

use crate::{
    cpu,
    sample::{Sample, median, quantile},
};

/// What one run of a workload says of itself: the time of each operation, if these are what it is about, in
/// nanoseconds.
pub(crate) type Latencies = Vec<u32>;

/// Where the CPU time of a workload is found.
#[derive(Debug)]
pub(crate) enum Cpu {
    /// In this process and in these.
    Workers(Vec<u32>),
    /// In this process and its children, all of which end within the run.
    Children,
}

impl Cpu {
    fn spent(&self) -> f64 {
        match self {
            Self::Workers(workers) => cpu::spent(workers),
            Self::Children => cpu::spent_with_children(),
        }
    }
}

/// Runs a workload with ever larger counts, as a warm-up and to know its speed, then once for about the given time.
pub(crate) async fn measure(
    budget: Duration,
    step: u64,
    cpu: Cpu,
    mut run: impl AsyncFnMut(u64) -> Latencies,
) -> Sample {
    let mut count = step;
    let time = loop {
        let start = Instant::now();
        run(count).await;
        let time = start.elapsed();
        if time >= budget / 8 {
            break time;
        }
        count *= if time < budget / 128 { 16 } else { 4 };
    };
    let scale = budget.as_secs_f64() / time.as_secs_f64();
    let count = ((count as f64 * scale) as u64).max(2).next_multiple_of(step);

    let before = cpu.spent();
    let start = Instant::now();
    let latencies = run(count).await;
    let time = start.elapsed().as_secs_f64();
    let cpu = (cpu.spent() - before) / count as f64;

    let latencies: Vec<f64> = latencies.into_iter().map(|nanos| f64::from(nanos) * 1e-9).collect();
    Sample {
        value: match latencies.len() {
            0 => time / count as f64,
            length => latencies.iter().sum::<f64>() / length as f64,
        },
        median: median(latencies.iter().copied()),
        p99: quantile(latencies, 0.99),
        cpu,
    }
}

/// Makes a future of blocking work, which never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("nothing in it waits"),
    }
}

/// The time since then, as a latency.
pub(crate) fn since(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX)
}
