//! What a worker trait is instantiated with travels like any other type.
//! Write `#[derive(Serialize, Deserialize)]` on it.

use std::convert::Infallible;

use rpc_parallel::{Init, WorkerContext, worker};

#[worker]
pub trait Store<T> {
    fn put(&self, value: T);
}

pub struct Point;

pub struct Tally;

impl Init for Tally {
    type Arg = u64;
    type Error = Infallible;

    async fn init(_: u64, _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[worker]
impl Store<Point> for Tally {
    fn put(&self, _value: Point) {}
}

fn main() {}
