//! A program's `main` has no arguments.
//! Read `std::env::args()` in it.

#[rpc_parallel::main]
async fn main(arguments: Vec<String>) {}
