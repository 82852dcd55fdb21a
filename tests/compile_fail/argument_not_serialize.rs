//! An argument travels to another process as bytes, and its type must say how.
//! Write `#[derive(Serialize, Deserialize)]` on it.

use rpc_parallel::worker;

pub struct Point;

#[worker]
pub trait Counter {
    async fn add(&self, point: Point);
}

fn main() {}
