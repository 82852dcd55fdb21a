//! An implementation is registered by the attribute; without it, the type is an ordinary one that cannot be spawned.
//! Put `#[worker]` on the implementation as well.

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

impl Counter for Tally {
    fn add(&self, _n: u64) {}
}

fn main() {
    let _ = Tally::spawn::<CounterClient>(0);
}
