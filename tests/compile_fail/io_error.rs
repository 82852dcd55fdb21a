//! The errors of the standard library cannot travel.
//! Return `Result<_, Fault>`: in the implementation `?` turns any error into a `Fault`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn read(&self, path: &str) -> Result<String, std::io::Error>;
}

fn main() {}
