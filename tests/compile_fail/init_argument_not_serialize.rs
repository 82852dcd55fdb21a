//! The argument of `spawn` travels to the new worker.
//! Write `#[derive(Serialize, Deserialize)]` on its type.

use std::convert::Infallible;

use rpc_parallel::{Init, WorkerContext};

pub struct Start;

pub struct Tally;

impl Init for Tally {
    type Arg = Start;
    type Error = Infallible;

    async fn init(_: Start, _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

fn main() {}
