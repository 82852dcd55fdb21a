//! A client has the functions of its trait and no others, so that no call reaches a worker that does not have it.
//! Call it on the other trait's client.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&self, n: u64);
}

#[worker]
pub trait Printer {
    async fn print(&self, text: &str);
}

pub async fn run(counter: CounterClient) {
    let _ = counter.print("text").await;
}

fn main() {}
