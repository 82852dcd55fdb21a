//! The client and the handlers are made from the trait.
//! Put `#[worker]` on the trait as well.

use std::convert::Infallible;

use rpc_parallel::{Init, WorkerContext, worker};

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

fn main() {}
