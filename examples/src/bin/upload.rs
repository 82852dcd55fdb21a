//! A stream in argument position: the caller produces, the worker reads.
//!
//! ```text
//! cargo run --bin upload
//! ```
//!
//! The numbers 0 to 999 are dealt to ten workers, twice: first each worker gets a stream of its share, then one task deals
//! the numbers to ten channels, and waits whenever the worker whose turn it is lags behind.

use std::{convert::Infallible, error::Error};

use futures_util::{
    Stream, StreamExt,
    future::{join, try_join_all},
    stream,
};
use rpc_parallel::{CallError, Init, Spawn, WorkerContext};
use tokio::sync::mpsc;

const WORKERS: u64 = 10;
const NUMBERS: u64 = 1000;

/// Keeps a share of what a caller streams to it.
#[rpc_parallel::worker]
pub trait Shard {
    /// A line for each of the numbers, the last number first.
    async fn collect(&self, prefix: &str, numbers: impl Stream<Item = u64>) -> Vec<String>;
}

struct ShardWorker {
    shard: u64,
}

impl Init for ShardWorker {
    type Arg = u64;
    type Error = Infallible;

    async fn init(shard: u64, _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { shard })
    }
}

#[rpc_parallel::worker]
impl Shard for ShardWorker {
    async fn collect(&self, prefix: &str, numbers: impl Stream<Item = u64> + Send) -> Vec<String> {
        let mut lines: Vec<String> = numbers.map(|n| format!("{prefix} got {}:{n}", self.shard)).collect().await;
        lines.reverse();
        lines
    }
}

/// Every worker reads a stream of its own.
async fn streams(workers: &[ShardClient]) -> Result<Vec<Vec<String>>, CallError> {
    let calls = (0..).zip(workers).map(|(shard, worker)| {
        let share = (0..NUMBERS).filter(move |n| n % WORKERS == shard);
        worker.collect(&format!("worker {shard}"), stream::iter(share))
    });
    try_join_all(calls).await
}

/// One task feeds all workers.
async fn channels(workers: &[ShardClient]) -> Result<Vec<Vec<String>>, CallError> {
    let (senders, calls): (Vec<_>, Vec<_>) = (0..)
        .zip(workers)
        .map(|(shard, worker): (u64, _)| {
            let (sender, receiver) = mpsc::channel(1);
            let numbers = stream::unfold(receiver, |mut receiver| async move {
                let n = receiver.recv().await?;
                Some((n, receiver))
            });
            (sender, worker.collect(&format!("worker {shard}"), numbers))
        })
        .unzip();
    let feed = async move {
        for (n, sender) in (0..NUMBERS).zip(senders.iter().cycle()) {
            if sender.send(n).await.is_err() {
                // This worker reads no more: its call has failed and says why.
                break;
            }
        }
        // The senders are dropped here, which ends the streams.
    };
    join(try_join_all(calls), feed).await.0
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let spawns =
        (0..WORKERS).map(async |shard| ShardWorker::spawn(shard).name(format!("shard-{shard}")).connect().await);
    let workers = try_join_all(spawns).await?;

    for results in [streams(&workers).await?, channels(&workers).await?] {
        for lines in results {
            let (first, last) = lines.first().zip(lines.last()).ok_or("a worker got nothing")?;
            println!("{} lines: {first} .. {last}", lines.len());
        }
    }
    Ok(())
}
