//! A one-way function is never answered.
//! Leave the result out, or leave `one_way` out.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    #[rpc(one_way)]
    async fn add(&self, n: u64) -> u64;
}

fn main() {}
