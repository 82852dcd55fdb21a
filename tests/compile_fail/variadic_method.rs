//! A function has a fixed number of arguments, each of a known type.
//! Take a `&[T]`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    unsafe extern "C" fn add(&self, numbers: ...);
}

fn main() {}
