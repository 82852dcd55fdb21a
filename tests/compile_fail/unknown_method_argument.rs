//! `#[rpc(..)]` takes `inline`, `one_way`, `local`, `plain` and `name = ".."`.
//! Write one of these.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    #[rpc(oneway)]
    fn note(&self, text: String);
}

fn main() {}
