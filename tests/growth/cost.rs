//! What something costs: the CPU time of both ends, which other programs on the machine change little.

use std::future::Future;

use futures_util::future::join_all;
use rustix::time::{ClockId, clock_gettime};

use crate::worker::GrowClient;

/// Seconds of CPU time that this process has had.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Microseconds of CPU time, of this process and of the workers, for one of `units`.
pub(crate) async fn per_unit<F: Future>(workers: &[&GrowClient], units: usize, work: F) -> f64 {
    let before = all(workers).await;
    work.await;
    (all(workers).await - before) * 1e6 / units as f64
}

async fn all(workers: &[&GrowClient]) -> f64 {
    let theirs: f64 = join_all(workers.iter().map(async |worker| worker.cpu().await.unwrap())).await.iter().sum();
    cpu() + theirs
}
