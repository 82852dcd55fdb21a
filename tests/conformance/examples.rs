//! The original's examples: what each of its programs prints.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use futures_util::{Stream, StreamExt, future::join_all, stream};
use rpc_parallel::{CallError, Client, ConnectError, Init, Redirect, Spawn, WorkerContext};
use tokio::sync::{mpsc, watch};

use crate::support::{Program, Scratch, gone, received, stateless, within};

stateless!(Summer);

#[rpc_parallel::worker]
pub(crate) trait Sum {
    /// The sums of all beginnings of `0..n`, each as soon as the one before was taken.
    async fn sums(&self, n: u64) -> impl Stream<Item = u64>;
    async fn write(&self, text: String);
    async fn directory(&self) -> PathBuf;
}

#[rpc_parallel::worker]
impl Sum for Summer {
    async fn sums(&self, n: u64) -> impl Stream<Item = u64> {
        let (sender, receiver) = mpsc::channel(1);
        // The handler returns at once, and a task of its own goes on.
        tokio::spawn(async move {
            let mut sum = 0;
            for i in 0..n {
                sum += i;
                sender.send(sum).await.unwrap();
            }
        });
        received(receiver)
    }
    async fn write(&self, text: String) {
        println!("out: {text}");
        eprintln!("err: {text}");
    }
    async fn directory(&self) -> PathBuf {
        std::env::current_dir().unwrap()
    }
}

/// Sums and products; what the workers print goes where it was sent, here nowhere; and nobody has to close anything.
#[tokio::test]
async fn c001_sum_and_product() {
    let mut program = Program::start(&["sum"]);
    let pids = program.numbers();
    assert_eq!(pids.len(), 2);
    let (status, stdout, stderr) = program.finish();
    assert!(status.success());
    assert_eq!((stdout.as_str(), stderr.as_str()), ("861\n45\n3628800\n", ""));
    for pid in pids {
        gone(pid).await;
    }
}

/// The elements arrive while the worker still writes, and the end comes once. Rust: a relative path of a redirection is
/// relative to our directory, where the caller would look for it, whatever the worker's directory is.
#[tokio::test]
async fn c005_a_stream_that_a_task_writes() {
    let scratch = Scratch::new();
    let elsewhere = Scratch::new();
    let mut relative: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
    relative.push(scratch.file("sum.out").strip_prefix("/").unwrap());
    let client = Summer::spawn(())
        .current_dir(elsewhere.path())
        .stdout(Redirect::Append(relative))
        .stderr(Redirect::Append(scratch.file("sum.err")))
        .connect()
        .await
        .unwrap();
    let mut sums = client.sums(10).await.unwrap();
    for expected in [0, 1, 3, 6, 10, 15, 21, 28, 36, 45] {
        assert_eq!(within(sums.next()).await.unwrap().unwrap(), expected);
    }
    assert!(within(sums.next()).await.is_none());
    assert!(within(sums.next()).await.is_none());

    client.write("first".into()).await.unwrap();
    let read = |name| std::fs::read_to_string(scratch.file(name)).unwrap();
    assert_eq!((read("sum.out").as_str(), read("sum.err").as_str()), ("out: first\n", "err: first\n"));
    assert_eq!(client.directory().await.unwrap(), elsewhere.path().canonicalize().unwrap());
}

/// Answers pings with pongs, on another stream.
pub(crate) struct Pinged {
    mailbox: watch::Sender<Option<mpsc::Sender<u64>>>,
}

impl Init for Pinged {
    type Arg = ();
    type Error = std::convert::Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self { mailbox: watch::Sender::new(None) })
    }
}

#[rpc_parallel::worker]
pub(crate) trait Pong {
    async fn ping(&self, n: u64);
    async fn pongs(&self) -> impl Stream<Item = u64>;
    /// Returns once nobody reads the pongs any more.
    async fn pongs_closed(&self);
}

#[rpc_parallel::worker]
impl Pong for Pinged {
    async fn ping(&self, n: u64) {
        let mailbox = self.mailbox.borrow().clone();
        mailbox.unwrap().send(n).await.unwrap();
    }
    async fn pongs(&self) -> impl Stream<Item = u64> {
        let (sender, receiver) = mpsc::channel(1);
        self.mailbox.send_replace(Some(sender));
        received(receiver)
    }
    async fn pongs_closed(&self) {
        let mailbox = self.mailbox.borrow().clone();
        mailbox.unwrap().closed().await;
    }
}

/// A subscription that the reader gives up: the worker's end of it closes, and everything else goes on. Rust: a stream
/// is given up by dropping it; there is no id of it to get wrong.
#[tokio::test]
async fn c006_a_stream_is_given_up() {
    let client = Pinged::spawn(()).connect().await.unwrap();
    let mut pongs = client.pongs().await.unwrap();
    let mut seen = Vec::new();
    client.ping(0).await.unwrap();
    while seen.len() < 5 {
        let n = within(pongs.next()).await.unwrap().unwrap();
        seen.push(n);
        if seen.len() < 5 {
            client.ping(n + 1).await.unwrap();
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    let closed = client.pongs_closed().start();
    drop(pongs);
    within(closed).await.unwrap();
    // The connection takes other calls and streams.
    let mut again = client.pongs().await.unwrap();
    client.ping(7).await.unwrap();
    assert_eq!(within(again.next()).await.unwrap().unwrap(), 7);
}

/// One of several.
pub(crate) struct Shard(u64);

impl Init for Shard {
    type Arg = u64;
    type Error = std::convert::Infallible;

    async fn init(id: u64, _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self(id))
    }
}

#[rpc_parallel::worker]
pub(crate) trait Sharded {
    async fn pid(&self) -> u32;
    /// The values, the last one first.
    async fn collect(&self, prefix: &str, values: impl Stream<Item = u64>) -> Vec<String>;
}

#[rpc_parallel::worker]
impl Sharded for Shard {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn collect(&self, prefix: &str, mut values: impl Stream<Item = u64> + Send + Unpin) -> Vec<String> {
        let mut all = std::collections::VecDeque::new();
        while let Some(value) = values.next().await {
            all.push_front(format!("{prefix} {} got {}:{value}", self.0, self.0));
        }
        all.into()
    }
}

async fn shards() -> Vec<ShardedClient> {
    let clients = join_all((0..10).map(|id| Shard::spawn(id).connect().into_future())).await;
    clients.into_iter().map(Result::unwrap).collect()
}

/// Closes the clients of all shards, whose processes then end.
async fn close(clients: Vec<ShardedClient>) {
    for client in clients {
        let pid = client.pid().await.unwrap();
        client.close();
        gone(pid).await;
    }
}

fn assert_sharded(id: usize, got: &[String]) {
    assert_eq!(got.len(), 100);
    assert_eq!(got[0], format!("worker {id} got {id}:{}", 990 + id));
    assert_eq!(got[99], format!("worker {id} got {id}:{id}"));
}

/// The caller sends streams, to ten workers at once, no faster than each of them takes the items.
#[tokio::test]
async fn c007_the_caller_sends_streams() {
    let clients = shards().await;
    let (senders, calls): (Vec<_>, Vec<_>) = clients
        .iter()
        .map(|client| {
            let (sender, receiver) = mpsc::channel(1);
            (sender, client.collect("worker", received(receiver)).start())
        })
        .unzip();
    let feed = async {
        for n in 0..1000 {
            senders[n as usize % 10].send(n).await.unwrap();
        }
        drop(senders);
    };
    let (results, ()) = within(async { futures_util::join!(join_all(calls), feed) }).await;
    for (id, got) in results.into_iter().enumerate() {
        assert_sharded(id, &got.unwrap());
    }
    close(clients).await;
}

/// The same with one writer for each stream, which waits, ends and fails by itself. Rust: a writer is a task with a
/// channel's sender; a failure of the writer is the caller's own, who drops the call.
#[tokio::test]
async fn c008_the_caller_writes_each_stream_by_itself() {
    let clients = shards().await;
    let calls = clients.iter().enumerate().map(|(id, client)| async move {
        let (sender, receiver) = mpsc::channel(1);
        let write = async move {
            for n in (0..1000).filter(|n| *n as usize % 10 == id) {
                sender.send(n).await.map_err(|_| "closed")?;
            }
            Ok::<_, &str>(())
        };
        futures_util::join!(client.collect("worker", received(receiver)), write)
    });
    for (id, (got, written)) in within(join_all(calls)).await.into_iter().enumerate() {
        written.unwrap();
        assert_sharded(id, &got.unwrap());
    }
    // A writer that fails takes the call with it, and the worker serves on.
    let (sender, receiver) = mpsc::channel(1);
    sender.send(1).await.unwrap();
    let call = clients[0].collect("worker", received(receiver));
    let failing = async { Err::<(), _>("no more") };
    let both = async { futures_util::try_join!(async { call.await.map_err(|_| "the call") }, failing) };
    assert_eq!(within(both).await.unwrap_err(), "no more");
    assert_eq!(clients[0].collect("worker", stream::iter([5])).await.unwrap(), ["worker 0 got 0:5"]);
    close(clients).await;
}

/// Counts.
pub(crate) struct Increment(AtomicU64);

impl Init for Increment {
    type Arg = u64;
    type Error = std::convert::Infallible;

    async fn init(start: u64, _: &WorkerContext) -> Result<Self, Self::Error> {
        Ok(Self(AtomicU64::new(start)))
    }
}

#[rpc_parallel::worker]
pub(crate) trait Inc {
    async fn inc(&self) -> u64;
}

#[rpc_parallel::worker]
impl Inc for Increment {
    async fn inc(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }
}

/// Ten servers of one type in this process: each has a state of its own, shared by its connections; closing a server
/// refuses new connections alone.
#[tokio::test]
async fn c009_serve_in_this_process() {
    let one = |i: u64| async move {
        let served = Increment::serve(i).await.unwrap();
        let (first, second) = (served.connect().await.unwrap(), served.connect().await.unwrap());
        assert_eq!(first.inc().await.unwrap(), i + 1);
        assert_eq!(second.inc().await.unwrap(), i + 2);
        assert_eq!((first.worker_id(), served.pid()), (served.id(), std::process::id()));
        served.close_server();
        crate::support::until("the server refuses", async || {
            matches!(served.connect().await, Err(ConnectError::Unreachable { .. }))
        })
        .await;
        assert_eq!(first.inc().await.unwrap(), i + 3);
        served.id()
    };
    let ids = within(join_all((0..10).map(one))).await;
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 10);
}

#[tokio::test]
async fn an_upload_that_is_cut_off_is_not_taken_for_a_complete_one() {
    let client = Shard::spawn(3).connect().await.unwrap();
    let broken = stream::iter(0..3).chain(stream::once(async { panic!("the producer fails") }));
    match within(client.collect("worker", Box::pin(broken))).await {
        Err(CallError::Cancelled(text)) => assert!(text.contains("producer"), "{text}"),
        other => panic!("{other:?}"),
    }
}
