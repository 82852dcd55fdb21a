//! rpc-parallel, with its defaults.

use std::{collections::VecDeque, convert::Infallible, time::Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{Init, Spawn, WorkerContext};

use crate::{
    asynchronous::{self, Peer, task},
    cell::usual_variants,
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    placement,
    workload::Kind,
};

pub(crate) const LIBRARY: Library = Library {
    name: "rpc-parallel",
    crates: &["rpc-parallel", "postcard", "tokio"],
    used: "defaults; in one task the oldest of `n` started calls is awaited and a new one started",
    variants: |workload| match workload.kind {
        Kind::Echo { .. } => &["&[u8]", "Vec<u8>", "Bytes"],
        _ => usual_variants(workload),
    },
    run: asynchronous::run::<RpcParallel>,
    worker: |_| unreachable!("a worker of rpc-parallel never comes here"),
};

type Block = [f64; 8];

#[rpc_parallel::worker]
trait Bench {
    async fn pin(&self, cpu: usize);
    async fn pid(&self) -> u32;
    async fn next(&self, n: u64) -> u64;
    async fn numbers(&self, count: u64) -> impl Stream<Item = u64>;
    async fn blocks(&self, count: u64) -> impl Stream<Item = Block>;
    async fn echo_slice(&self, bytes: &[u8]) -> Vec<u8>;
    async fn echo_vec(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn echo_bytes(&self, bytes: Bytes) -> Bytes;
}

struct Bencher;

impl Init for Bencher {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Bench for Bencher {
    async fn pin(&self, cpu: usize) {
        placement::pin(cpu);
    }
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn next(&self, n: u64) -> u64 {
        n + 1
    }
    async fn numbers(&self, count: u64) -> impl Stream<Item = u64> {
        stream::iter(0..count)
    }
    async fn blocks(&self, count: u64) -> impl Stream<Item = Block> {
        stream::iter((0..count).map(|n| [n as f64; 8]))
    }
    async fn echo_slice(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
    async fn echo_vec(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
    async fn echo_bytes(&self, bytes: Bytes) -> Bytes {
        bytes
    }
}

struct RpcParallel;

impl Peer for RpcParallel {
    type Client = BenchClient;
    /// The client holds the process.
    type Process = ();

    async fn start(cpu: Option<usize>) -> ((), BenchClient) {
        let client: BenchClient = Bencher::spawn(()).connect().await.unwrap();
        if let Some(cpu) = cpu {
            client.pin(cpu).await.unwrap();
        }
        ((), client)
    }

    async fn pid((): &(), client: &BenchClient) -> u32 {
        client.pid().await.unwrap()
    }

    async fn next(client: &BenchClient, n: u64) -> u64 {
        client.next(n).await.unwrap()
    }

    async fn window(client: &BenchClient, width: u64, count: u64) {
        let mut calls: VecDeque<_> = (0..width.min(count)).map(|n| client.next(n).start()).collect();
        let mut next = width;
        for n in 0..count {
            let Some(call) = calls.pop_front() else { return };
            assert_eq!(call.await.unwrap(), n + 1);
            if next < count {
                calls.push_back(client.next(next).start());
                next += 1;
            }
        }
    }

    task!();

    async fn numbers(client: &BenchClient, count: u64) -> u64 {
        let mut stream = client.numbers(count).await.unwrap();
        let mut sum = 0;
        while let Some(number) = stream.next().await {
            sum += number.unwrap();
        }
        sum
    }

    async fn blocks(client: &BenchClient, count: u64) -> u64 {
        let mut stream = client.blocks(count).await.unwrap();
        let mut seen = 0;
        while let Some(block) = stream.next().await {
            assert_eq!(block.unwrap()[7], seen as f64);
            seen += 1;
        }
        seen
    }

    async fn echo(client: &BenchClient, variant: &str, size: usize, count: u64) -> Latencies {
        let mut latencies = Latencies::new();
        let mut owned = vec![BYTE; size];
        let shared = Bytes::from(owned.clone());
        for _ in 0..count {
            let start = Instant::now();
            match variant {
                "&[u8]" => check(&client.echo_slice(&shared).await.unwrap(), size),
                "Vec<u8>" => owned = client.echo_vec(owned).await.unwrap(),
                _ => check(&client.echo_bytes(shared.clone()).await.unwrap(), size),
            }
            latencies.push(since(start));
            check(&owned, size);
        }
        latencies
    }
}
