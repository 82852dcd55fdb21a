//! The items of a stream travel one by one, and their type must say how.
//! Write `#[derive(Serialize, Deserialize)]` on it.

use futures_util::Stream;
use rpc_parallel::worker;

pub struct Point;

#[worker]
pub trait Counter {
    async fn all(&self) -> impl Stream<Item = Point>;
}

fn main() {}
