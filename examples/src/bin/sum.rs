//! Quick start: two workers, a process each, and calls to them.
//!
//! ```text
//! cargo run --bin sum
//! ```
//!
//! A worker is a trait, a type that implements it, and an `Init` that makes the type's value in the worker's process.
//! `spawn(..).connect()` starts the process and gives the client; the process ends when the client is gone, or with
//! this program, however that ends.

use std::{convert::Infallible, error::Error};

use rpc_parallel::{Init, Redirect, Spawn, WorkerContext};

/// Adds up.
#[rpc_parallel::worker]
pub trait Sum {
    /// 0 + 1 + .. + (n - 1)
    async fn sum(&self, n: u64) -> u64;
}

/// Multiplies.
#[rpc_parallel::worker]
pub trait Product {
    /// 1 * 2 * .. * n, if that fits.
    async fn product(&self, n: u64) -> Option<u64>;
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
    async fn sum(&self, n: u64) -> u64 {
        // What a worker writes to stderr shows up on ours with the worker's name in front; this one's was sent nowhere.
        eprintln!("asked for the sum of {n} numbers");
        (0..n).sum()
    }
}

struct ProductWorker;

impl Init for ProductWorker {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Product for ProductWorker {
    async fn product(&self, n: u64) -> Option<u64> {
        (1..=n).try_fold(1, u64::checked_mul)
    }
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sum = SumWorker::spawn(()).name("sum").stderr(Redirect::Null).connect().await?;
    println!("sum(42) = {}", sum.sum(42).await?);
    println!("sum(10) = {}", sum.sum(10).await?);

    let product = ProductWorker::spawn(()).name("product").connect().await?;
    match product.product(10).await? {
        Some(value) => println!("product(10) = {value}"),
        None => println!("product(10) does not fit into 64 bits"),
    }
    Ok(())
}
