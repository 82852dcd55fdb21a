//! An error travels back as bytes, and its type must say how.
//! Write `#[derive(Serialize, Deserialize)]` on it, or return `Result<_, Fault>`, which holds any error's message.

use rpc_parallel::worker;

pub struct Missing;

#[worker]
pub trait Counter {
    async fn last(&self) -> Result<u64, Missing>;
}

fn main() {}
