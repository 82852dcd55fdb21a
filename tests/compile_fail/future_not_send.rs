//! A call moves between the threads of the worker's runtime: nothing that is held across an `.await` may be bound to one thread.
//! Write `Arc` for `Rc`, and drop the guard of a lock before the `.await`.

use std::rc::Rc;

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(&self, n: u64) -> u64;
}

pub struct Tally;

impl Counter for Tally {
    async fn add(&self, n: u64) -> u64 {
        let sum = Rc::new(n);
        std::future::ready(()).await;
        *sum
    }
}

fn main() {}
