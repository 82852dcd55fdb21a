//! No prelude, no imports.
#![no_implicit_prelude]

use ::futures_util::Stream;

pub(crate) struct State;

impl ::rpc_parallel::Init for State {
    type Arg = ();
    type Error = ::std::convert::Infallible;

    async fn init(_: (), _: &::rpc_parallel::WorkerContext) -> ::std::result::Result<Self, Self::Error> {
        ::std::result::Result::Ok(Self)
    }
}

#[::rpc_parallel::worker]
pub(crate) trait Bare {
    async fn call(&self, n: u64, text: &str, list: &[u8], bytes: ::std::vec::Vec<u8>, more: &[u16]) -> u64;
    async fn maybe(&self, n: ::std::option::Option<&u8>) -> ::std::result::Result<u8, ::std::string::String>;
    async fn probed(&self) -> Probed;
    async fn range(&self, up: impl Stream<Item = u8>) -> impl Stream<Item = u8>;
    async fn state(&self) -> ::std::result::Result<(u8, impl Stream<Item = u8>), u8>;
    fn blocking(&self) -> u8;
    #[rpc(inline)]
    fn inline(&self) -> u8 {
        1
    }
    #[rpc(one_way, name = "bare.note")]
    fn note(&self);
    #[rpc(local)]
    fn local(&self) -> u8 {
        1
    }
}

pub(crate) type Probed = ::std::result::Result<u8, u8>;

#[::rpc_parallel::worker]
impl Bare for State {
    async fn call(&self, n: u64, _: &str, _: &[u8], _: ::std::vec::Vec<u8>, _: &[u16]) -> u64 {
        n
    }
    async fn maybe(&self, n: ::std::option::Option<&u8>) -> ::std::result::Result<u8, ::std::string::String> {
        ::std::result::Result::Ok(*n.unwrap_or(&0))
    }
    async fn probed(&self) -> Probed {
        ::std::result::Result::Ok(1)
    }
    async fn range(&self, up: impl Stream<Item = u8>) -> impl Stream<Item = u8> {
        up
    }
    async fn state(&self) -> ::std::result::Result<(u8, impl Stream<Item = u8>), u8> {
        ::std::result::Result::Ok((1, ::futures_util::stream::empty()))
    }
    fn blocking(&self) -> u8 {
        self.inline() + self.local()
    }
    fn note(&self) {}
}

#[::core::prelude::v1::test]
fn it_runs() {
    ::std::assert_eq!(State.blocking(), 2);
}
