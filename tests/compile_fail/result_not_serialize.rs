//! A result travels back as bytes, and its type must say how.
//! Write `#[derive(Serialize, Deserialize)]` on it.

use rpc_parallel::worker;

pub struct Point;

#[worker]
pub trait Counter {
    async fn last(&self) -> Point;
}

fn main() {}
