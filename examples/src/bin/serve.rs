//! Workers inside this process: the same traits and clients, without a child.
//!
//! ```text
//! cargo run --bin serve
//! ```
//!
//! Any number of workers of one type can be served side by side. All connections to one of them share its state, and
//! open connections outlive the end of serving.

use std::{
    convert::Infallible,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::future::try_join_all;
use rpc_parallel::{Init, Spawn, WorkerContext};

/// Counts.
#[rpc_parallel::worker]
pub trait Counter {
    /// Adds one and tells the sum.
    async fn increment(&self) -> u64;
}

struct Tally(AtomicU64);

impl Init for Tally {
    type Arg = u64;
    type Error = Infallible;

    async fn init(start: u64, _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(AtomicU64::new(start)))
    }
}

#[rpc_parallel::worker]
impl Counter for Tally {
    async fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

async fn serve_one(start: u64) -> Result<(), Box<dyn Error>> {
    let served = Tally::serve(start).await?;
    let first = served.connect().await?;
    let second = served.connect().await?;
    assert_eq!(first.increment().await?, start + 1);
    assert_eq!(second.increment().await?, start + 2);

    served.close_server();
    assert!(served.connect().await.is_err(), "a closed server has taken a connection");
    assert_eq!(first.increment().await?, start + 3);
    Ok(())
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    try_join_all((0..10).map(serve_one)).await?;
    println!("Success.");
    Ok(())
}
