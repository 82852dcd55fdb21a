//! An attribute macro sees the source before `cfg_attr` is resolved.
//! Put `#[cfg]` on two methods, one of them with `#[rpc(..)]`.

use rpc_parallel::worker;

#[worker]
pub trait Counter {
    #[cfg_attr(all(), rpc(inline))]
    fn len(&self) -> u64;
}

fn main() {}
