//! The library holds the worker and lends it to each call.
//! Write `&self`.

use std::sync::Arc;

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn add(self: Arc<Self>, n: u64);
}

fn main() {}
