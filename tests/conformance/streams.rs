//! Streams: items that cannot travel, ends of all kinds, and writers that push.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{CallError, Client, Closer, Init, Settings, Spawn, WorkerContext};
use tokio::sync::{Notify, mpsc};

use crate::{
    calls::Lucky,
    support::{all, received, until, within},
};

/// A worker that knows how many of its streams there are.
pub(crate) struct Streams {
    open: Arc<AtomicUsize>,
    produced: Arc<AtomicUsize>,
    go: Arc<Notify>,
}

impl Init for Streams {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { open: Arc::default(), produced: Arc::default(), go: Arc::default() })
    }
}

/// Counts a stream for as long as it exists.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Streams {
    fn open(&self) -> Open {
        self.open.fetch_add(1, Relaxed);
        Open(Arc::clone(&self.open))
    }

    fn counted<S: Stream + Send>(&self, stream: S) -> impl Stream<Item = S::Item> + Send + use<S> {
        let open = self.open();
        stream.inspect(move |_| {
            let _ = &open;
        })
    }
}

#[rpc_parallel::worker]
pub(crate) trait Flow {
    async fn lucky(&self, numbers: Vec<u32>) -> impl Stream<Item = Lucky>;
    async fn take_lucky(&self, numbers: impl Stream<Item = Lucky>) -> u32;
    /// Texts of these sizes.
    async fn texts(&self, sizes: Vec<usize>) -> impl Stream<Item = String>;
    /// A first text of this size, and updates without end.
    async fn state(&self, size: usize) -> Result<(String, impl Stream<Item = u32>), String>;
    async fn count(&self, to: u32) -> impl Stream<Item = u32>;
    /// Items that were pushed before the reply, after it, and while the reader was there.
    async fn pushed(&self, fail: bool) -> Result<impl Stream<Item = u32>, String>;
    async fn pushed_and_closed(&self) -> impl Stream<Item = u32>;
    async fn endless(&self) -> impl Stream<Item = u64>;
    async fn open(&self) -> usize;
    async fn produced(&self) -> usize;
    async fn go(&self);
}

#[rpc_parallel::worker]
impl Flow for Streams {
    async fn lucky(&self, numbers: Vec<u32>) -> impl Stream<Item = Lucky> {
        // It goes on for ever, so that only its reader can end it.
        self.counted(stream::iter(numbers.into_iter().map(Lucky)).chain(stream::pending()))
    }
    async fn take_lucky(&self, numbers: impl Stream<Item = Lucky> + Send + Unpin) -> u32 {
        numbers.fold(0, async |sum, n| sum + n.0).await
    }
    async fn texts(&self, sizes: Vec<usize>) -> impl Stream<Item = String> {
        self.counted(stream::iter(sizes).map(|size| "x".repeat(size)))
    }
    async fn state(&self, size: usize) -> Result<(String, impl Stream<Item = u32>), String> {
        Ok(("x".repeat(size), self.counted(stream::pending())))
    }
    async fn count(&self, to: u32) -> impl Stream<Item = u32> {
        self.counted(stream::iter(0..to))
    }
    async fn pushed(&self, fail: bool) -> Result<impl Stream<Item = u32>, String> {
        let (sender, receiver) = mpsc::channel(4);
        for n in 0..3 {
            sender.send(n).await.unwrap();
        }
        let (open, go) = (self.open(), Arc::clone(&self.go));
        tokio::spawn(async move {
            let _open = open;
            if !fail {
                go.notified().await;
            }
            let mut n = 3;
            // It is over once nobody can have the item any more.
            while sender.send(n).await.is_ok() {
                n += 1;
            }
        });
        if fail { Err("text of expected failure".to_owned()) } else { Ok(received(receiver)) }
    }
    async fn pushed_and_closed(&self) -> impl Stream<Item = u32> {
        let (sender, receiver) = mpsc::channel(4);
        for n in 0..3 {
            sender.send(n).await.unwrap();
        }
        drop(sender);
        tokio::task::yield_now().await;
        received(receiver)
    }
    async fn endless(&self) -> impl Stream<Item = u64> {
        let produced = Arc::clone(&self.produced);
        stream::repeat_with(move || produced.fetch_add(1, Relaxed) as u64)
    }
    async fn open(&self) -> usize {
        self.open.load(Relaxed)
    }
    async fn produced(&self) -> usize {
        self.produced.load(Relaxed)
    }
    async fn go(&self) {
        self.go.notify_one();
    }
}

const LIMIT: usize = 4096;

fn small() -> Settings {
    let mut settings = Settings::default();
    settings.max_message_size = LIMIT;
    settings.stream_window = LIMIT;
    settings
}

async fn connect(settings: Settings) -> FlowClient {
    Streams::spawn(()).settings(settings).connect().await.unwrap()
}

async fn none_open(client: &FlowClient) {
    until("no stream is open", async || client.open().await.unwrap() == 0).await;
}

/// An item that the reader cannot decode ends the stream with an error; the producer is stopped, and the connection
/// lives. An item of the caller's fails its call.
#[tokio::test]
async fn c137_an_undecodable_item_ends_its_stream() {
    let client = connect(Settings::default()).await;
    let mut items = client.lucky(vec![1, 2, 13, 4]).await.unwrap();
    assert_eq!(within(items.next()).await.unwrap().unwrap(), Lucky(1));
    assert_eq!(within(items.next()).await.unwrap().unwrap(), Lucky(2));
    match within(items.next()).await.unwrap() {
        Err(CallError::Decode(text)) => assert!(text.contains("item of the stream"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert!(within(items.next()).await.is_none());
    none_open(&client).await;

    let numbers = stream::iter([1, 13].map(Lucky)).chain(stream::pending());
    match within(client.take_lucky(numbers)).await {
        Err(CallError::Decode(text)) => assert!(text.contains("caller's stream"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(within(client.take_lucky(stream::iter([1, 2].map(Lucky)))).await.unwrap(), 3);
}

/// An item that is too large ends the stream after those before it.
#[tokio::test]
async fn c138_an_item_that_is_too_large_ends_its_stream() {
    let client = connect(small()).await;
    // More before it than the window takes at once.
    let mut sizes = vec![1000; 50];
    sizes.extend([10_000, 7]);
    let items: Vec<_> = within(client.texts(sizes).await.unwrap().collect()).await;
    assert_eq!(items.len(), 51);
    assert!(items[..50].iter().all(|item| item.as_ref().unwrap().len() == 1000));
    match &items[50] {
        Err(CallError::TooBig(found)) => {
            assert!(found.size >= 10_000 && found.limit as usize == LIMIT, "{found:?}");
        }
        other => panic!("{other:?}"),
    }
    none_open(&client).await;
}

/// A first value that is too large fails the call, and its updates are dropped.
#[tokio::test]
async fn c139_a_first_value_that_is_too_large() {
    let client = connect(small()).await;
    match within(client.state(10_000)).await {
        Err(CallError::TooBig(found)) => {
            assert_eq!((found.limit as usize, found.what.as_str()), (LIMIT, "the first value"));
        }
        other => panic!("{other:?}"),
    }
    none_open(&client).await;
    assert_eq!(within(client.state(10)).await.unwrap().0.len(), 10);
}

/// A client that closes in the middle of a stream reads an error that says who closed; a clean end is no error.
#[tokio::test]
async fn c140_closing_in_the_middle_of_a_stream() {
    let client = connect(Settings::default()).await;
    assert_eq!(all(client.count(3).await.unwrap()).await, [0, 1, 2]);
    let mut items = client.lucky(vec![1]).await.unwrap();
    assert_eq!(within(items.next()).await.unwrap().unwrap(), Lucky(1));
    client.close_with("text of the reason");
    match within(items.next()).await.unwrap() {
        Err(error @ CallError::Disconnected(_)) => {
            let text = error.to_string();
            assert!(text.contains("connection closed by local side: text of the reason"), "{text}");
            let CallError::Disconnected(lost) = error else { unreachable!() };
            assert_eq!(lost.reason().closer(), Closer::Local);
        }
        other => panic!("{other:?}"),
    }
    assert!(within(items.next()).await.is_none());
}

/// A stream whose last item has used up the window ends nevertheless, also while its reader does not look for the end.
#[tokio::test]
async fn a_stream_ends_without_room_in_the_window() {
    let client = connect(small()).await;
    let mut items = client.texts(vec![4000, 4000]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(within(items.next()).await.unwrap().unwrap().len(), 4000);
    }
    none_open(&client).await;
    assert!(within(items.next()).await.is_none());
}

/// Runs of one size, single ones, long ones: all arrive in order, in windows that take few of them.
#[tokio::test]
async fn items_of_all_sizes_arrive_in_order() {
    let client = connect(small()).await;
    let sizes: Vec<usize> = (0..3000_usize)
        .flat_map(|n| vec![n.wrapping_mul(2_654_435_761) % [1, 3, 40, 300, 4000][n % 5]; [1, 1, 2, 90][n / 7 % 4]])
        .take(1500)
        .collect();
    let items = within(client.texts(sizes.clone()).await.unwrap().collect::<Vec<_>>()).await;
    let received: Vec<usize> = items.into_iter().map(|item| item.unwrap().len()).collect();
    assert_eq!(received, sizes);
}

/// Giving up a stream that ends by itself at the same moment harms nothing.
#[tokio::test]
async fn c141_giving_up_while_it_ends() {
    let client = connect(Settings::default()).await;
    for i in 0..300 {
        let mut items = within(client.count(i % 7)).await.unwrap();
        for expected in 0..(i % 7).min(i % 5) {
            assert_eq!(within(items.next()).await.unwrap().unwrap(), expected);
        }
        drop(items);
    }
    none_open(&client).await;
    assert_eq!(all(client.count(5).await.unwrap()).await, [0, 1, 2, 3, 4]);
}

/// A writer that pushes: what it wrote before the reply comes first, then what it goes on to write; its writes fail once
/// nobody can read them, because the reader went, the handler failed or the connection closed. None of them hangs.
#[tokio::test]
async fn c142_a_writer_that_pushes() {
    let worker = Streams::spawn(()).await.unwrap();
    let watcher = worker.connect().await.unwrap();
    let client = worker.connect().await.unwrap();
    let mut items = client.pushed(false).await.unwrap();
    for expected in 0..3 {
        assert_eq!(within(items.next()).await.unwrap().unwrap(), expected);
    }
    watcher.go().await.unwrap();
    for expected in 3..100 {
        assert_eq!(within(items.next()).await.unwrap().unwrap(), expected);
    }
    drop(items);
    none_open(&watcher).await;

    match within(client.pushed(true)).await {
        Err(CallError::App(text)) => assert_eq!(text, "text of expected failure"),
        other => panic!("{other:?}"),
    }
    none_open(&watcher).await;

    let _items = client.pushed(false).await.unwrap();
    watcher.go().await.unwrap();
    client.close();
    none_open(&watcher).await;
}

/// A writer that has closed before the handler returned: what it wrote arrives, and then the end.
#[tokio::test]
async fn c143_a_writer_that_has_closed_already() {
    let client = connect(Settings::default()).await;
    assert_eq!(all(within(client.pushed_and_closed()).await.unwrap()).await, [0, 1, 2]);
}

/// A reader that is slow keeps the producer waiting, within the window of its stream, and nobody else: other calls and
/// other streams of the connection go on.
#[tokio::test]
async fn c145_a_slow_reader_blocks_its_producer_alone() {
    let client = connect(small()).await;
    let mut slow = client.endless().await.unwrap();
    let other: Vec<_> = within(client.texts(vec![1000; 100]).await.unwrap().collect()).await;
    assert_eq!(other.len(), 100);
    for _ in 0..100 {
        within(client.open()).await.unwrap();
    }
    // The window, of items of a byte or two, and one that waits at the producer.
    let produced = within(client.produced()).await.unwrap();
    assert!(produced < LIMIT, "{produced}");
    for expected in 0..20_000 {
        assert_eq!(within(slow.next()).await.unwrap().unwrap(), expected);
    }
}
