//! Cap'n Proto over a Unix socket.

use std::{cell::Cell, collections::VecDeque, rc::Rc, time::Instant};

use capnp::{capability::FromServer, message::ReaderOptions};
use capnp_rpc::{RpcSystem, new_client, rpc_twoparty_capnp::Side, twoparty::VatNetwork};
use futures_util::io::{AsyncReadExt, BufReader, BufWriter};
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::{
    asynchronous::{self, Peer, task},
    cell::usual_variants,
    meter::{Latencies, since},
    peers::{BYTE, Library, check},
    process::{self, Process},
};

#[path = "../../schema/bench_capnp.generated"]
#[rustfmt::skip]
#[allow(unreachable_pub, clippy::all)]
mod bench_capnp;
use bench_capnp::{bench, blocks, numbers};

pub(crate) const LIBRARY: Library = Library {
    name: "capnp-rpc",
    crates: &["capnp-rpc", "capnp"],
    used: "a two-party network over the inherited socket pair, buffered both ways; its clients stay on one thread; \
           streams are calls back to the caller with its flow control",
    variants: |workload| if workload.threads() { &[] } else { usual_variants(workload) },
    run: asynchronous::run::<Capnp>,
    worker: |_| process::block_on(tokio::task::LocalSet::new().run_until(serve())),
};

/// A buffer of a socket.
const BUFFER: usize = 64 << 10;

fn network(
    socket: std::os::unix::net::UnixStream,
    side: Side,
) -> Box<VatNetwork<impl futures_util::AsyncRead + Unpin>> {
    let (read, write) = process::tokio(socket).compat().split();
    let (read, write) = (BufReader::with_capacity(BUFFER, read), BufWriter::with_capacity(BUFFER, write));
    let mut options = ReaderOptions::new();
    options.traversal_limit_in_words(None);
    let mut network = VatNetwork::new(read, write, side, options);
    network.set_window_size(1 << 20);
    Box::new(network)
}

struct Bencher;

impl bench::Server for Bencher {
    async fn next(self: Rc<Self>, call: bench::NextParams, mut reply: bench::NextResults) -> capnp::Result<()> {
        reply.get().set_n(call.get()?.get_n() + 1);
        Ok(())
    }

    async fn echo(self: Rc<Self>, call: bench::EchoParams, mut reply: bench::EchoResults) -> capnp::Result<()> {
        reply.get().set_bytes(call.get()?.get_bytes()?);
        Ok(())
    }

    async fn numbers(self: Rc<Self>, call: bench::NumbersParams, _: bench::NumbersResults) -> capnp::Result<()> {
        let sink = call.get()?.get_sink()?;
        for n in 0..call.get()?.get_count() {
            let mut push = sink.push_request();
            push.get().set_n(n);
            push.send().await?;
        }
        Ok(())
    }

    async fn blocks(self: Rc<Self>, call: bench::BlocksParams, _: bench::BlocksResults) -> capnp::Result<()> {
        let sink = call.get()?.get_sink()?;
        for n in 0..call.get()?.get_count() {
            let mut push = sink.push_request();
            let mut block = push.get().init_block();
            block.set_a(n as f64);
            block.set_b(n as f64);
            block.set_c(n as f64);
            block.set_d(n as f64);
            block.set_e(n as f64);
            block.set_f(n as f64);
            block.set_g(n as f64);
            block.set_h(n as f64);
            push.send().await?;
        }
        Ok(())
    }
}

/// Where the items of a stream come.
#[derive(Default)]
struct Sink(Rc<Cell<u64>>);

impl numbers::Server for Sink {
    async fn push(self: Rc<Self>, item: numbers::PushParams) -> capnp::Result<()> {
        self.0.set(self.0.get() + item.get()?.get_n());
        Ok(())
    }
}

impl blocks::Server for Sink {
    async fn push(self: Rc<Self>, item: blocks::PushParams) -> capnp::Result<()> {
        assert_eq!(item.get()?.get_block()?.get_h(), self.0.get() as f64);
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

async fn serve() {
    let client: bench::Client = new_client(Bencher);
    let network = network(process::stdin(), Side::Server);
    let _ = RpcSystem::new(network, Some(client.client)).await;
}

async fn push<T: FromServer<Sink>>(call: impl AsyncFnOnce(T)) -> u64 {
    let seen = Rc::default();
    call(new_client(Sink(Rc::clone(&seen)))).await;
    seen.get()
}

struct Capnp;

impl Peer for Capnp {
    type Client = bench::Client;
    type Process = Process;
    const LOCAL: bool = true;

    async fn start(cpu: Option<usize>) -> (Process, bench::Client) {
        let (process, socket) = Process::connected(LIBRARY.name, cpu);
        let mut system = RpcSystem::new(network(socket, Side::Client), None);
        let client = system.bootstrap(Side::Server);
        tokio::task::spawn_local(system);
        (process, client)
    }

    async fn pid(process: &Process, _: &bench::Client) -> u32 {
        process.id()
    }

    async fn next(client: &bench::Client, n: u64) -> u64 {
        let mut request = client.next_request();
        request.get().set_n(n);
        request.send().promise.await.unwrap().get().unwrap().get_n()
    }

    async fn window(client: &bench::Client, width: u64, count: u64) {
        let start = |n| {
            let mut request = client.next_request();
            request.get().set_n(n);
            request.send().promise
        };
        let mut calls: VecDeque<_> = (0..width.min(count)).map(start).collect();
        let mut next = width;
        for n in 0..count {
            let Some(call) = calls.pop_front() else { return };
            assert_eq!(call.await.unwrap().get().unwrap().get_n(), n + 1);
            if next < count {
                calls.push_back(start(next));
                next += 1;
            }
        }
    }

    task!(tokio::task::spawn_local);

    async fn numbers(client: &bench::Client, count: u64) -> u64 {
        push(async |sink: numbers::Client| {
            let mut request = client.numbers_request();
            request.get().set_count(count);
            request.get().set_sink(sink);
            request.send().promise.await.unwrap();
        })
        .await
    }

    async fn blocks(client: &bench::Client, count: u64) -> u64 {
        push(async |sink: blocks::Client| {
            let mut request = client.blocks_request();
            request.get().set_count(count);
            request.get().set_sink(sink);
            request.send().promise.await.unwrap();
        })
        .await
    }

    async fn echo(client: &bench::Client, _: &str, size: usize, count: u64) -> Latencies {
        let mut latencies = Latencies::new();
        let bytes = vec![BYTE; size];
        for _ in 0..count {
            let start = Instant::now();
            let mut request = client.echo_request();
            request.get().set_bytes(&bytes);
            let reply = request.send().promise.await.unwrap();
            latencies.push(since(start));
            check(reply.get().unwrap().get_bytes().unwrap(), size);
        }
        latencies
    }
}
