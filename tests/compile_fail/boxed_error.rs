//! A boxed error is a trait object, of which only its process knows the type.
//! Return `Result<_, Fault>`: in the implementation `?` turns any error into a `Fault`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    async fn read(&self, path: &str) -> Result<String, Box<dyn std::error::Error>>;
}

fn main() {}
