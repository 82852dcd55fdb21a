//! A call is sent when it is awaited.
//! Write `.await`, or `.start()` to go on before the answer is there.

#![deny(unused_must_use)]

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&self, n: u64);
}

pub async fn run(counter: CounterClient) {
    counter.add(1);
}

fn main() {}
