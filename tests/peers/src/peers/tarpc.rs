//! tarpc over a Unix socket, with its serde transport and bincode.

use std::time::Instant;

use futures_util::StreamExt;
use serde_bytes::ByteBuf;
use tarpc::{
    client, context,
    server::{self, Channel},
    tokio_serde::formats::Bincode,
    tokio_util::codec::LengthDelimitedCodec,
};

use crate::{
    asynchronous::{self, Peer, task},
    cell::usual_variants,
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    process::{self, Process},
    workload::Kind,
};

pub(crate) const LIBRARY: Library = Library {
    name: "tarpc",
    crates: &["tarpc", "bincode"],
    used: "its serde transport with bincode over the inherited socket pair, bytes as `serde_bytes`, queues of 2048 calls, a \
           task for each call that is served",
    variants: |workload| match workload.kind {
        Kind::Numbers | Kind::Blocks => &[],
        _ => usual_variants(workload),
    },
    run: asynchronous::run::<Tarpc>,
    worker: |_| process::block_on(serve()),
};

#[tarpc::service]
trait Bench {
    async fn next(n: u64) -> u64;
    async fn echo(bytes: ByteBuf) -> ByteBuf;
}

#[derive(Clone)]
struct Bencher;

impl Bench for Bencher {
    async fn next(self, _: context::Context, n: u64) -> u64 {
        n + 1
    }

    async fn echo(self, _: context::Context, bytes: ByteBuf) -> ByteBuf {
        bytes
    }
}

/// Room for all calls that the workloads have in flight: with the defaults tarpc is slower.
const QUEUE: usize = 2048;

/// The transport of either side.
macro_rules! transport {
    ($socket:expr) => {{
        let framed = LengthDelimitedCodec::builder().max_frame_length(256 << 20).new_framed($socket);
        tarpc::serde_transport::new(framed, Bincode::default())
    }};
}

async fn serve() {
    let config = server::Config { pending_response_buffer: QUEUE };
    let channel = server::BaseChannel::new(config, transport!(process::tokio(process::stdin())));
    channel.execute(Bencher.serve()).for_each(respond).await;
}

/// A task each, as its documentation has it. One after the other they would be a fifth faster, but then a call that waits
/// holds up all others.
async fn respond(response: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(response);
}

struct Tarpc;

impl Peer for Tarpc {
    type Client = BenchClient;
    type Process = Process;

    async fn start(cpu: Option<usize>) -> (Process, BenchClient) {
        let (process, socket) = Process::connected(LIBRARY.name, cpu);
        let mut config = client::Config::default();
        config.max_in_flight_requests = QUEUE;
        config.pending_request_buffer = QUEUE;
        (process, BenchClient::new(config, transport!(process::tokio(socket))).spawn())
    }

    async fn pid(process: &Process, _: &BenchClient) -> u32 {
        process.id()
    }

    async fn next(client: &BenchClient, n: u64) -> u64 {
        client.next(context::current(), n).await.unwrap()
    }

    task!();

    async fn numbers(_: &BenchClient, _: u64) -> u64 {
        unreachable!("tarpc has no streams")
    }

    async fn blocks(_: &BenchClient, _: u64) -> u64 {
        unreachable!("tarpc has no streams")
    }

    async fn echo(client: &BenchClient, _: &str, size: usize, count: u64) -> Latencies {
        let mut latencies = Latencies::new();
        let mut bytes = ByteBuf::from(vec![BYTE; size]);
        for _ in 0..count {
            let start = Instant::now();
            bytes = client.echo(context::current(), bytes).await.unwrap();
            latencies.push(since(start));
            check(&bytes, size);
        }
        latencies
    }
}
