//! Names of the prelude and of the library that mean something else here.
#![allow(dead_code, non_camel_case_types, unused_macros)]

use futures_util::Stream;

struct Result;
struct Option;
struct Vec;
struct Some;
struct Ok;
struct Err;
struct None;
struct Box;
struct Arc;
struct Call;
struct Client;
struct Handler;
struct core;
struct std;
struct rpc_parallel;
trait Send {}
trait Sync {}
trait Sized {}
trait Future {}
trait Clone {}
trait Everything {
    fn read(&self, _: u8) {}
    fn reply(&self, _: u8) {}
    fn upload(&self, _: u8) {}
    fn lend(&self, _: u8) {}
    fn field(&self, _: u8) {}
    fn state(&self, _: u8) {}
    fn encode(&self, _: u8) {}
    fn take_only(self, _: u8)
    where
        Self: ::core::marker::Sized,
    {
    }
}
impl<T> Everything for T {}
macro_rules! module_path {
    () => {
        compile_error!("shadowed")
    };
}

#[::rpc_parallel::worker]
pub(crate) trait Shadowed {
    async fn get(&self, n: &str, list: &[u16], maybe: ::std::option::Option<&u8>) -> u8;
    async fn one(&self, n: u8) -> u8;
    async fn two(&self, n: u8, m: u8) -> u8;
    async fn fails(&self) -> ::std::result::Result<u8, u8>;
    async fn stream(&self, up: impl Stream<Item = u8>) -> impl Stream<Item = u8>;
    fn blocking(&self, state: u8, arguments: u8) -> u8;
}

#[::rpc_parallel::worker]
impl Shadowed for crate::bare::State {
    async fn get(&self, _: &str, _: &[u16], _: ::std::option::Option<&u8>) -> u8 {
        1
    }
    async fn one(&self, n: u8) -> u8 {
        n
    }
    async fn two(&self, n: u8, m: u8) -> u8 {
        n + m
    }
    async fn fails(&self) -> ::std::result::Result<u8, u8> {
        ::std::result::Result::Ok(1)
    }
    async fn stream(&self, up: impl Stream<Item = u8>) -> impl Stream<Item = u8> {
        up
    }
    fn blocking(&self, state: u8, arguments: u8) -> u8 {
        state + arguments
    }
}

#[test]
fn it_runs() {
    assert_eq!(crate::bare::State.blocking(1, 2), 3);
}
