//! A worker's handle as an argument: one worker calls another.
//!
//! ```text
//! cargo run --bin pass_the_handle
//! ```
//!
//! `Worker<FooClient>` names a worker wherever it runs. It can be cloned, printed, stored and sent; it owns nothing.

use std::{
    convert::Infallible,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::future::try_join;
use rpc_parallel::{Fault, Init, Spawn, Worker, WorkerContext};

/// Counts how often it is called.
#[rpc_parallel::worker]
pub trait Pinged {
    /// How many pings there have been.
    async fn ping(&self) -> u64;
}

/// Calls workers that it is told of.
#[rpc_parallel::worker]
pub trait Dispatcher {
    /// Connects to the worker, pings it and closes the connection.
    async fn dispatch(&self, to: Worker<PingedClient>) -> Result<u64, Fault>;
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Init for Counter {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[rpc_parallel::worker]
impl Pinged for Counter {
    async fn ping(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

struct Postman;

impl Init for Postman {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Dispatcher for Postman {
    async fn dispatch(&self, to: Worker<PingedClient>) -> Result<u64, Fault> {
        Ok(to.with_client(async |client| client.ping().await).await??)
    }
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The owner of the process, which is not bound to any connection.
    let counter = Counter::spawn(()).name("counter").await?;
    let postman = Postman::spawn(()).name("postman").connect().await?;

    let from_master = async {
        let client = counter.connect().await?;
        for _ in 0..10 {
            println!("worker pinged from master: {}", client.ping().await?);
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let from_dispatcher = async {
        for _ in 0..10 {
            println!("worker pinged from dispatcher: {}", postman.dispatch(counter.worker().clone()).await?);
        }
        Ok(())
    };
    try_join(from_master, from_dispatcher).await?;
    Ok(())
}
