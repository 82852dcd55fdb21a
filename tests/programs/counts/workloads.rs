//! What is counted.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::poll_fn,
    task::{Poll, ready},
};

use futures_util::{Stream, StreamExt, future::BoxFuture, stream};
use rpc_parallel::{Init, WorkerContext};
use tokio::task::JoinSet;

use crate::allocations;

#[rpc_parallel::worker]
pub(crate) trait Count {
    async fn next(&self, n: u64) -> u64;
    async fn echo(&self, bytes: &[u8]) -> Vec<u8>;
    async fn numbers(&self, count: usize) -> impl Stream<Item = u64>;
    async fn sum(&self, numbers: impl Stream<Item = u64>) -> u64;
    /// How often the worker has asked for memory.
    async fn allocations(&self) -> u64;
}

pub(crate) type CountedClient = CountClient;

pub(crate) struct Counted;

impl Init for Counted {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Count for Counted {
    async fn next(&self, n: u64) -> u64 {
        n + 1
    }

    async fn echo(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }

    async fn numbers(&self, count: usize) -> impl Stream<Item = u64> {
        stream::repeat(7).take(count)
    }

    async fn sum(&self, numbers: impl Stream<Item = u64> + Send + Unpin) -> u64 {
        numbers.fold(0, async |sum, number| sum + number).await
    }

    async fn allocations(&self) -> u64 {
        allocations::count()
    }
}

/// One workload: what one unit of it is, and the runtime of its caller.
pub(crate) struct Workload {
    name: &'static str,
    pub(crate) multi_thread: bool,
    pub(crate) run: fn(CountedClient, usize) -> BoxFuture<'static, ()>,
}

impl Workload {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|workload| workload.name == name)
    }
}

static ALL: [Workload; 7] = [
    Workload { name: "sequential", multi_thread: false, run: |client, units| Box::pin(sequential(client, units)) },
    Workload { name: "sequential-mt", multi_thread: true, run: |client, units| Box::pin(sequential(client, units)) },
    Workload { name: "pipelined", multi_thread: false, run: |client, units| Box::pin(pipelined(client, units)) },
    Workload { name: "window", multi_thread: false, run: |client, units| Box::pin(window(client, units)) },
    Workload { name: "echo", multi_thread: false, run: |client, units| Box::pin(echo(client, units)) },
    Workload { name: "download", multi_thread: false, run: |client, units| Box::pin(download(client, units)) },
    Workload { name: "upload", multi_thread: false, run: |client, units| Box::pin(upload(client, units)) },
];

/// One call after the other.
async fn sequential(client: CountedClient, units: usize) {
    for _ in 0..units {
        assert_eq!(client.next(7).await.unwrap(), 8);
    }
}

/// A thousand calls in flight; a unit is one call of each of a thousand tasks.
async fn pipelined(client: CountedClient, units: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        tasks.spawn(sequential(client.clone(), units));
    }
    tasks.join_all().await;
}

/// A thousand calls in flight, all of one task: the oldest is awaited and a new one started; a unit is a thousand calls.
async fn window(client: CountedClient, units: usize) {
    let mut calls: VecDeque<_> = (0..1000).map(|_| client.next(7).start()).collect();
    for _ in 0..1000 * (units - 1) {
        if let Some(call) = calls.pop_front() {
            assert_eq!(call.await.unwrap(), 8);
            calls.push_back(client.next(7).start());
        }
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), 8);
    }
}

/// 4 KiB there and back.
async fn echo(client: CountedClient, units: usize) {
    let bytes = vec![7; 4096];
    for _ in 0..units {
        assert_eq!(client.echo(&bytes).await.unwrap().len(), 4096);
    }
}

/// A stream from the worker; a unit is a thousand items of it.
async fn download(client: CountedClient, units: usize) {
    let mut numbers = client.numbers(1000 * units).await.unwrap();
    // By hand: how much of adapters the compiler makes one function of differs from build to build.
    let mut count = 0;
    let all = poll_fn(|cx| {
        while let Some(number) = ready!(numbers.poll_next_unpin(cx)) {
            let _: u64 = number.unwrap();
            count += 1;
        }
        Poll::Ready(count)
    });
    assert_eq!(all.await, 1000 * units);
}

/// A stream to the worker; a unit is a thousand items of it.
async fn upload(client: CountedClient, units: usize) {
    let sum = client.sum(stream::repeat(7).take(1000 * units)).await.unwrap();
    assert_eq!(sum, 7000 * units as u64);
}
