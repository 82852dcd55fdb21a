//! The client stands beside its trait, and the attribute on an implementation finds it there.
//! Import both, or write `#[worker(client = path)]`.

use std::convert::Infallible;

use counter::Counter;
use rpc_parallel::{Init, WorkerContext, worker};

mod counter {
    #[rpc_parallel::worker]
    pub trait Counter {
        fn add(&self, n: u64);
    }
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
