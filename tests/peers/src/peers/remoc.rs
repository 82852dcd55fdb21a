//! remoc over a Unix socket, with its remote traits and channels.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use remoc::{prelude::*, rtc::CallError};

use crate::{
    asynchronous::{self, Peer, task},
    cell::usual_variants,
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    process::{self, Process},
};

pub(crate) const LIBRARY: Library = Library {
    name: "remoc",
    crates: &["remoc", "postbag"],
    used: "remote traits with its slim codec over the inherited socket pair, streams as `rch::mpsc`, bytes as `Bytes`, \
           no limit on messages that would send them through a thread",
    variants: usual_variants,
    run: asynchronous::run::<Remoc>,
    worker: |_| process::block_on(serve()),
};

/// The largest message.
const MESSAGE: usize = 256 << 20;
/// Room for all calls that the workloads have in flight, and for items of a stream.
const QUEUE: usize = 2048;

type Block = [f64; 8];

#[rtc::remote]
trait Bench {
    async fn next(&self, n: u64) -> Result<u64, CallError>;
    async fn echo(&self, bytes: Bytes) -> Result<Bytes, CallError>;
    async fn numbers(&self, count: u64) -> Result<rch::mpsc::Receiver<u64>, CallError>;
    async fn blocks(&self, count: u64) -> Result<rch::mpsc::Receiver<Block>, CallError>;
}

struct Bencher;

impl Bench for Bencher {
    async fn next(&self, n: u64) -> Result<u64, CallError> {
        Ok(n + 1)
    }

    async fn echo(&self, bytes: Bytes) -> Result<Bytes, CallError> {
        Ok(bytes)
    }

    async fn numbers(&self, count: u64) -> Result<rch::mpsc::Receiver<u64>, CallError> {
        let (sender, receiver) = rch::mpsc::with_local_buffer(QUEUE);
        tokio::spawn(async move {
            for n in 0..count {
                sender.send(n).await.unwrap();
            }
        });
        Ok(receiver)
    }

    async fn blocks(&self, count: u64) -> Result<rch::mpsc::Receiver<Block>, CallError> {
        let (sender, receiver) = rch::mpsc::with_local_buffer(QUEUE);
        tokio::spawn(async move {
            for n in 0..count {
                sender.send([n as f64; 8]).await.unwrap();
            }
        });
        Ok(receiver)
    }
}

fn configuration() -> remoc::Cfg {
    // Otherwise large messages go through a thread.
    remoc::Cfg { max_data_size: MESSAGE, ..Default::default() }
}

async fn serve() {
    let (server, mut client) = BenchServerShared::<_>::with_request_buffer(Arc::new(Bencher), QUEUE);
    client.set_max_request_size(MESSAGE);
    client.set_max_response_size(MESSAGE);
    let (read, write) = process::tokio(process::stdin()).into_split();
    remoc::Connect::io(configuration(), read, write).provide(client).await.unwrap();
    server.serve().await.unwrap();
}

struct Remoc;

impl Peer for Remoc {
    type Client = BenchClient;
    type Process = Process;

    async fn start(cpu: Option<usize>) -> (Process, BenchClient) {
        let (process, socket) = Process::connected(LIBRARY.name, cpu);
        let (read, write) = process::tokio(socket).into_split();
        let mut client: BenchClient = remoc::Connect::io(configuration(), read, write).consume().await.unwrap();
        client.set_max_request_size(MESSAGE);
        client.set_max_response_size(MESSAGE);
        (process, client)
    }

    async fn pid(process: &Process, _: &BenchClient) -> u32 {
        process.id()
    }

    async fn next(client: &BenchClient, n: u64) -> u64 {
        client.next(n).await.unwrap()
    }

    task!();

    async fn numbers(client: &BenchClient, count: u64) -> u64 {
        let mut stream = client.numbers(count).await.unwrap();
        let mut sum = 0;
        while let Some(number) = stream.recv().await.unwrap() {
            sum += number;
        }
        sum
    }

    async fn blocks(client: &BenchClient, count: u64) -> u64 {
        let mut stream = client.blocks(count).await.unwrap();
        let mut seen = 0;
        while let Some(block) = stream.recv().await.unwrap() {
            assert_eq!(block[7], seen as f64);
            seen += 1;
        }
        seen
    }

    async fn echo(client: &BenchClient, _: &str, size: usize, count: u64) -> Latencies {
        let mut latencies = Latencies::new();
        let bytes = Bytes::from(vec![BYTE; size]);
        for _ in 0..count {
            let start = Instant::now();
            let reply = client.echo(bytes.clone()).await.unwrap();
            latencies.push(since(start));
            check(&reply, size);
        }
        latencies
    }
}
