//! The worker whose calls are measured.

use std::{convert::Infallible, future::pending};

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{Init, WorkerContext};

use crate::cost;

#[rpc_parallel::worker]
pub(crate) trait Grow {
    async fn next(&self, n: u64) -> u64;
    /// Never replies.
    async fn wait(&self);
    /// A few items and the end.
    async fn numbers(&self, count: u64) -> impl Stream<Item = u64>;
    /// One item, and no end.
    async fn endless(&self) -> impl Stream<Item = u64>;
    async fn sum(&self, numbers: impl Stream<Item = u64>) -> u64;
    /// Seconds of CPU time that the process has had.
    async fn cpu(&self) -> f64;
}

pub(crate) struct Growing;

impl Init for Growing {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Grow for Growing {
    async fn next(&self, n: u64) -> u64 {
        n + 1
    }

    async fn wait(&self) {
        pending::<()>().await;
    }

    async fn numbers(&self, count: u64) -> impl Stream<Item = u64> {
        stream::iter(0..count)
    }

    async fn endless(&self) -> impl Stream<Item = u64> {
        stream::iter([7]).chain(stream::pending())
    }

    async fn sum(&self, numbers: impl Stream<Item = u64> + Send + Unpin) -> u64 {
        numbers.fold(0, async |sum, number| sum + number).await
    }

    async fn cpu(&self) -> f64 {
        cost::cpu()
    }
}
