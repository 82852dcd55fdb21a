//! The argument of `spawn` is the `Arg` of the worker's `Init`.
//! Pass a value of that type.

use std::convert::Infallible;

use rpc_parallel::{Init, Spawn, WorkerContext, worker};

#[worker]
pub trait Counter {
    fn add(&self, n: u64);
}

pub struct Tally;

impl Init for Tally {
    type Arg = u64;
    type Error = Infallible;

    async fn init(_: u64, _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[worker]
impl Counter for Tally {
    fn add(&self, _n: u64) {}
}

pub async fn run() {
    let _ = Tally::spawn("10").await;
}

fn main() {}
