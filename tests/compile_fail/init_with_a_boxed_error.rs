//! Why there is no worker is told to another process, as a `Fault`.
//! Write `type Error = Fault`, into which `?` turns any error.

use rpc_parallel::{Init, WorkerContext};

pub struct Tally;

impl Init for Tally {
    type Arg = ();
    type Error = Box<dyn std::error::Error>;

    async fn init(_: (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}

fn main() {}
