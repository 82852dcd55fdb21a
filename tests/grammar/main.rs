//! g
#![deny(warnings)]
use rpc_parallel::{Init, WorkerContext, worker};

#[worker]
pub trait Counter {
    async fn add(&self, n: u64) -> u64;
    async fn greet(&self, name: &str, xs: &[u32]) -> String;
    async fn divide(&self, by: u64) -> Result<u64, String>;
    fn crunch(&self, n: u64) -> u64;
    #[rpc(inline)]
    fn len(&self) -> u64;
    #[rpc(one_way)]
    fn note(&self, text: String);
}

struct Tally;
impl Init for Tally {
    type Arg = u64;
    type Error = std::io::Error;
    async fn init(_: u64, _: &WorkerContext) -> Result<Self, std::io::Error> { Ok(Self) }
}

#[worker]
impl Counter for Tally {
    async fn add(&self, n: u64) -> u64 { n }
    async fn greet(&self, name: &str, _xs: &[u32]) -> String { name.to_owned() }
    async fn divide(&self, by: u64) -> Result<u64, String> { Ok(by) }
    fn crunch(&self, n: u64) -> u64 { n }
    fn len(&self) -> u64 { 0 }
    fn note(&self, _text: String) {}
}
#[test]
fn x() {}
