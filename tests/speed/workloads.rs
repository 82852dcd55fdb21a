//! What is measured.

use std::{fmt, future::Future, time::Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream, stream::FuturesUnordered};
use rpc_parallel::{Init, Spawn, WorkerContext};

use crate::{
    limit,
    placement::{self, Placement},
};

#[rpc_parallel::worker]
trait Bench {
    async fn pin(&self, cpu: usize);
    async fn next(&self, n: u64) -> u64;
    async fn echo(&self, bytes: &[u8]) -> Vec<u8>;
    async fn echo_vec(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn echo_shared(&self, bytes: Bytes) -> Bytes;
    async fn numbers(&self, to: u64) -> impl Stream<Item = u64>;
    async fn lines(&self, count: usize) -> impl Stream<Item = Line>;
}

/// 64 bytes that serde sees as bytes, as with `#[serde(with = "serde_bytes")]`.
struct Line([u8; 64]);

impl serde::Serialize for Line {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Line {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Line, E> {
                bytes.try_into().map(Line).map_err(|_| E::invalid_length(bytes.len(), &self))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bencher;

impl Init for Bencher {
    type Arg = ();
    type Error = std::convert::Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Bench for Bencher {
    async fn pin(&self, cpu: usize) {
        placement::pin(cpu);
    }
    async fn next(&self, n: u64) -> u64 {
        n + 1
    }
    async fn echo(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
    async fn echo_vec(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
    async fn echo_shared(&self, bytes: Bytes) -> Bytes {
        bytes
    }
    async fn numbers(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }
    async fn lines(&self, count: usize) -> impl Stream<Item = Line> {
        stream::iter((0..count).map(|_| Line([7; 64])))
    }
}

/// One workload: seconds per unit of ours and of the limit, in one round.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Placement, bool) -> (f64, f64),
    pub(crate) show: fn(f64) -> String,
}

pub(crate) const ALL: [Workload; 13] = [
    Workload {
        name: "sequential call, u64 → u64",
        run: |p, q| (sequential(p, n(q, 20_000), false), limit::ping_pong(8, n(q, 20_000), p)),
        show: micros,
    },
    Workload {
        name: "the same, multi_thread caller",
        run: |p, q| (sequential(p, n(q, 20_000), true), limit::ping_pong(8, n(q, 20_000), p)),
        show: micros,
    },
    Workload {
        name: "64 calls in flight",
        run: |p, q| (in_flight(p, 64, n(q, 200_000), false), limit::ping_pong(8 * 64, n(q, 20_000), p) / 64.0),
        show: micros,
    },
    Workload {
        name: "the same, multi_thread caller",
        run: |p, q| (in_flight(p, 64, n(q, 200_000), true), limit::ping_pong(8 * 64, n(q, 20_000), p) / 64.0),
        show: micros,
    },
    Workload {
        name: "1024 calls in flight",
        run: |p, q| (in_flight(p, 1024, n(q, 400_000), false), limit::ping_pong(8 * 1024, n(q, 5_000), p) / 1024.0),
        show: micros,
    },
    Workload {
        name: "stream of u64, per item",
        run: |p, q| (numbers(p, n(q, 10_000_000) as u64), limit::stream::<8>(n(q, 50_000_000), p)),
        show: nanos,
    },
    Workload {
        name: "stream of 64-byte items, per item",
        run: |p, q| (lines(p, n(q, 5_000_000)), limit::stream::<64>(n(q, 10_000_000), p)),
        show: nanos,
    },
    Workload {
        name: "echo of 1 MiB, `&[u8]` → `Vec<u8>`",
        run: |p, q| (echo(p, 1 << 20, n(q, 200)), limit::ping_pong(1 << 20, n(q, 200), p)),
        show: micros,
    },
    Workload {
        name: "echo of 1 MiB, `Vec<u8>` → `Vec<u8>`",
        run: |p, q| (echo_vec(p, 1 << 20, n(q, 200)), limit::ping_pong(1 << 20, n(q, 200), p)),
        show: micros,
    },
    Workload {
        name: "echo of 1 MiB, `Bytes` → `Bytes`",
        run: |p, q| (echo_shared(p, 1 << 20, n(q, 200)), limit::ping_pong(1 << 20, n(q, 200), p)),
        show: micros,
    },
    Workload {
        name: "echo of 64 MiB, `&[u8]` → `Vec<u8>`",
        run: |p, q| (echo(p, 64 << 20, few(q)), limit::ping_pong(64 << 20, few(q), p)),
        show: micros,
    },
    Workload {
        name: "echo of 64 MiB, `Vec<u8>` → `Vec<u8>`",
        run: |p, q| (echo_vec(p, 64 << 20, few(q)), limit::ping_pong(64 << 20, few(q), p)),
        show: micros,
    },
    Workload {
        name: "echo of 64 MiB, `Bytes` → `Bytes`",
        run: |p, q| (echo_shared(p, 64 << 20, few(q)), limit::ping_pong(64 << 20, few(q), p)),
        show: micros,
    },
];

fn n(quick: bool, count: usize) -> usize {
    if quick { (count / 100).max(10) } else { count }
}

/// How many messages that are each worth thousands.
fn few(quick: bool) -> usize {
    if quick { 1 } else { 10 }
}

fn micros(seconds: f64) -> String {
    format!("{:.2} µs", seconds * 1e6)
}

fn nanos(seconds: f64) -> String {
    format!("{:.1} ns, {:.1} M/s", seconds * 1e9, 1e-6 / seconds)
}

/// Runs a workload on a runtime of its own, pinned.
fn run<F: Future<Output = f64>>(multi_thread: bool, placement: Placement, work: F) -> f64 {
    placement.pin_caller();
    let mut builder = match multi_thread {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let seconds = builder.enable_all().worker_threads(2).build().unwrap().block_on(work);
    placement::pin_both();
    seconds
}

async fn client(placement: Placement) -> BenchClient {
    let client: BenchClient = Bencher::spawn(()).connect().await.unwrap();
    client.pin(placement.other()).await.unwrap();
    client
}

fn sequential(placement: Placement, count: usize, multi_thread: bool) -> f64 {
    run(multi_thread, placement, async move {
        let client = client(placement).await;
        let task = async move {
            let mut start = Instant::now();
            for n in 0..count + count / 10 {
                if n == count / 10 {
                    start = Instant::now();
                }
                client.next(n as u64).await.unwrap();
            }
            start.elapsed().as_secs_f64() / count as f64
        };
        if multi_thread { tokio::spawn(task).await.unwrap() } else { task.await }
    })
}

fn in_flight(placement: Placement, width: usize, count: usize, multi_thread: bool) -> f64 {
    run(multi_thread, placement, async move {
        let client = client(placement).await;
        let tasks: FuturesUnordered<_> = (0..width)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    for n in 0..count / width {
                        client.next(n as u64).await.unwrap();
                    }
                })
            })
            .collect();
        let start = Instant::now();
        tasks.for_each(|done| async { done.unwrap() }).await;
        start.elapsed().as_secs_f64() / (count / width * width) as f64
    })
}

fn numbers(placement: Placement, count: u64) -> f64 {
    run(false, placement, async move {
        let client = client(placement).await;
        let start = Instant::now();
        let mut stream = client.numbers(count).await.unwrap();
        let mut sum = 0;
        while let Some(number) = stream.next().await {
            sum += number.unwrap();
        }
        assert_eq!(sum, count * (count - 1) / 2);
        start.elapsed().as_secs_f64() / count as f64
    })
}

fn lines(placement: Placement, count: usize) -> f64 {
    run(false, placement, async move {
        let client = client(placement).await;
        let start = Instant::now();
        let mut stream = client.lines(count).await.unwrap();
        let mut got = 0;
        while let Some(line) = stream.next().await {
            std::hint::black_box(line.unwrap());
            got += 1;
        }
        assert_eq!(got, count);
        start.elapsed().as_secs_f64() / count as f64
    })
}

fn echo(placement: Placement, size: usize, count: usize) -> f64 {
    echoes(placement, count, vec![7; size], async |client, bytes| {
        assert_eq!(client.echo(&bytes).await.unwrap().len(), bytes.len());
        bytes
    })
}

/// The reply is what is sent next.
fn echo_vec(placement: Placement, size: usize, count: usize) -> f64 {
    echoes(placement, count, vec![7; size], async |client, bytes| client.echo_vec(bytes).await.unwrap())
}

/// The same bytes are sent every time.
fn echo_shared(placement: Placement, size: usize, count: usize) -> f64 {
    echoes(placement, count, Bytes::from(vec![7; size]), async |client, bytes| {
        assert_eq!(client.echo_shared(bytes.clone()).await.unwrap().len(), bytes.len());
        bytes
    })
}

fn echoes<T>(placement: Placement, count: usize, mut bytes: T, once: impl AsyncFn(&BenchClient, T) -> T) -> f64 {
    run(false, placement, async move {
        let client = client(placement).await;
        let mut start = Instant::now();
        let first = count.div_ceil(10);
        for round in 0..count + first {
            if round == first {
                start = Instant::now();
            }
            bytes = once(&client, bytes).await;
        }
        start.elapsed().as_secs_f64() / count as f64
    })
}
