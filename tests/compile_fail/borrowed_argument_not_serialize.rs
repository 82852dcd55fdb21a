//! A borrowed argument travels like an owned one.
//! Write `#[derive(Serialize, Deserialize)]` on its type.

use rpc_parallel::worker;

pub struct Point;

#[worker]
pub trait Counter {
    async fn add(&self, point: &Point);
}

fn main() {}
