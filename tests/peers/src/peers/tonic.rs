//! tonic over a Unix socket. The messages are prost's, the service is made by `build.rs`.

use std::{
    io,
    iter::Map,
    marker::PhantomData,
    ops::Range,
    sync::{Arc, Mutex},
    time::Instant,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper_util::rt::TokioIo;
use tonic::{
    Request, Response, Status,
    codec::{BufferSettings, Codec},
    transport::{Channel, Endpoint, Server},
};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};
use tower::service_fn;

use crate::{
    asynchronous::{self, Peer, task},
    cell::usual_variants,
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    process::{self, Process},
};

pub(crate) const LIBRARY: Library = Library {
    name: "tonic",
    crates: &["tonic", "prost", "h2", "hyper"],
    used: "prost messages over HTTP/2 with windows of 16 MiB and frames of 1 MiB over the inherited socket pair, bytes as \
           `Bytes`, 8 `double` an item, for both a codec with buffers of 128 KiB",
    variants: usual_variants,
    run: asynchronous::run::<Tonic>,
    worker: |_| process::block_on(serve()),
};

/// What the generated code encodes with: for calls the usual codec.
pub(crate) type Calls<T, U> = ProstCodec<T, U>;

/// For bytes and streams one with larger buffers, with which they are up to three times faster.
pub(crate) struct Bulk<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Bulk<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for Bulk<T, U>
where
    T: prost::Message + 'static,
    U: prost::Message + Default + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> ProstEncoder<T> {
        ProstEncoder::new(BufferSettings::new(128 << 10, 64 << 10))
    }

    fn decoder(&mut self) -> ProstDecoder<U> {
        ProstDecoder::new(BufferSettings::new(128 << 10, 64 << 10))
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Number {
    #[prost(uint64, tag = "1")]
    pub(crate) n: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Data {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) bytes: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Block {
    #[prost(double, tag = "1")]
    pub(crate) a: f64,
    #[prost(double, tag = "2")]
    pub(crate) b: f64,
    #[prost(double, tag = "3")]
    pub(crate) c: f64,
    #[prost(double, tag = "4")]
    pub(crate) d: f64,
    #[prost(double, tag = "5")]
    pub(crate) e: f64,
    #[prost(double, tag = "6")]
    pub(crate) f: f64,
    #[prost(double, tag = "7")]
    pub(crate) g: f64,
    #[prost(double, tag = "8")]
    pub(crate) h: f64,
}

mod generated {
    #![allow(unreachable_pub, clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/bench.Bench.rs"));
}
use generated::{bench_client::BenchClient, bench_server};

/// The largest message.
const MESSAGE: usize = 256 << 20;
/// How much may be on the way.
const WINDOW: u32 = 16 << 20;
const FRAME: u32 = 1 << 20;
/// Room for all calls that the workloads have in flight.
const QUEUE: u32 = 2048;

struct Bencher;

type Items<T> = stream::Iter<Map<Range<u64>, fn(u64) -> Result<T, Status>>>;

#[tonic::async_trait]
impl bench_server::Bench for Bencher {
    type NumbersStream = Items<Number>;
    type BlocksStream = Items<Block>;

    async fn next(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        Ok(Response::new(Number { n: request.into_inner().n + 1 }))
    }

    async fn echo(&self, request: Request<Data>) -> Result<Response<Data>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn numbers(&self, request: Request<Number>) -> Result<Response<Items<Number>>, Status> {
        let item: fn(u64) -> Result<Number, Status> = |n| Ok(Number { n });
        Ok(Response::new(stream::iter((0..request.into_inner().n).map(item))))
    }

    async fn blocks(&self, request: Request<Number>) -> Result<Response<Items<Block>>, Status> {
        let item: fn(u64) -> Result<Block, Status> = |n| {
            let n = n as f64;
            Ok(Block { a: n, b: n, c: n, d: n, e: n, f: n, g: n, h: n })
        };
        Ok(Response::new(stream::iter((0..request.into_inner().n).map(item))))
    }
}

async fn serve() {
    let service =
        bench_server::BenchServer::new(Bencher).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE);
    let socket = process::tokio(process::stdin());
    // There is one connection, and the server ends when no other can come.
    let incoming = stream::iter([Ok::<_, io::Error>(socket)]).chain(stream::pending());
    Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(QUEUE)
        .serve_with_incoming(service, incoming)
        .await
        .unwrap();
}

struct Tonic;

impl Peer for Tonic {
    type Client = BenchClient<Channel>;
    type Process = Process;

    async fn start(cpu: Option<usize>) -> (Process, BenchClient<Channel>) {
        let (process, socket) = Process::connected(LIBRARY.name, cpu);
        let socket = Arc::new(Mutex::new(Some(TokioIo::new(process::tokio(socket)))));
        let connect = service_fn(move |_| {
            let socket = socket.lock().unwrap().take();
            async move { socket.ok_or_else(|| io::Error::other("there is one connection")) }
        });
        let channel = Endpoint::from_static("http://localhost")
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_frame_size(FRAME)
            .buffer_size(QUEUE as usize)
            .connect_with_connector(connect)
            .await
            .unwrap();
        let client = BenchClient::new(channel).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE);
        (process, client)
    }

    async fn pid(process: &Process, _: &BenchClient<Channel>) -> u32 {
        process.id()
    }

    async fn next(client: &BenchClient<Channel>, n: u64) -> u64 {
        client.clone().next(Number { n }).await.unwrap().into_inner().n
    }

    task!();

    async fn numbers(client: &BenchClient<Channel>, count: u64) -> u64 {
        let mut stream = client.clone().numbers(Number { n: count }).await.unwrap().into_inner();
        let mut sum = 0;
        while let Some(number) = stream.message().await.unwrap() {
            sum += number.n;
        }
        sum
    }

    async fn blocks(client: &BenchClient<Channel>, count: u64) -> u64 {
        let mut stream = client.clone().blocks(Number { n: count }).await.unwrap().into_inner();
        let mut seen = 0;
        while let Some(block) = stream.message().await.unwrap() {
            assert_eq!(block.h, seen as f64);
            seen += 1;
        }
        seen
    }

    async fn echo(client: &BenchClient<Channel>, _: &str, size: usize, count: u64) -> Latencies {
        let mut latencies = Latencies::new();
        let bytes = Bytes::from(vec![BYTE; size]);
        let mut client = client.clone();
        for _ in 0..count {
            let start = Instant::now();
            let reply = client.echo(Data { bytes: bytes.clone() }).await.unwrap();
            latencies.push(since(start));
            check(&reply.into_inner().bytes, size);
        }
        latencies
    }
}
