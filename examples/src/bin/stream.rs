//! A stream in return position: the worker produces, the caller reads as the items come.
//!
//! ```text
//! cargo run --bin stream -- [MAX [DELAY_IN_MS]]
//! ```
//!
//! The worker runs ahead of a slow reader by at most `Settings::stream_window` bytes. A clean end is told from a broken
//! one: were the worker killed, the last item would be an error.

use std::{convert::Infallible, error::Error, time::Duration};

use futures_util::{Stream, TryStreamExt, stream};
use rpc_parallel::{Init, Spawn, WorkerContext};

/// Adds up, step by step.
#[rpc_parallel::worker]
pub trait Sum {
    /// The sums of the first 1, 2, .. `max` natural numbers from zero on, with a pause before each further one.
    async fn running_sums(&self, max: u64, delay: Duration) -> impl Stream<Item = u64>;
}

struct SumWorker;

impl Init for SumWorker {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Sum for SumWorker {
    async fn running_sums(&self, max: u64, delay: Duration) -> impl Stream<Item = u64> {
        stream::unfold((0, 0), move |(next, sum)| async move {
            if next == max {
                return None;
            }
            if next > 0 {
                tokio::time::sleep(delay).await;
            }
            let sum = sum + next;
            Some((sum, (next + 1, sum)))
        })
    }
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let max = args.next().map_or(Ok(10), |arg| arg.parse())?;
    let delay = args.next().map_or(Ok(10), |arg| arg.parse())?;

    let worker = SumWorker::spawn(()).name("sum").connect().await?;
    let mut sums = worker.running_sums(max, Duration::from_millis(delay)).await?;
    while let Some(sum) = sums.try_next().await? {
        println!("Sum_worker.sum: {sum}");
    }
    println!("Closed");
    Ok(())
}
