//! What goes wrong only when two things happen at once, or when somebody does not behave.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use rpc_parallel::{
    CallError, Client, ConnectError, ConnectionState, Fault, Init, ServeError, Settings, Spawn, SpawnError,
    WorkerContext,
};

use crate::support::{gone, kill, stateless, until, within};

stateless!(Odd);

/// A worker whose end can be seen. With an argument, its connections never come to be.
pub(crate) struct Watched(Arc<()>);

thread_local! {
    static WATCHED: Arc<()> = Arc::default();
}

impl Init for Watched {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(WATCHED.with(Arc::clone)))
    }
}

pub(crate) struct Slow(Arc<Watched>);

impl ConnectionState for Slow {
    type Worker = Watched;
    type Arg = String;
    type Error = Fault;

    async fn open(worker: &Arc<Watched>, how: String) -> Result<Arc<Self>, Fault> {
        let _held = Arc::clone(&worker.0);
        match how.as_str() {
            "hang" => std::future::pending().await,
            "fail" => Err(Fault::new("long ".repeat(1 << 10))),
            _ => Ok(Arc::new(Self(Arc::clone(worker)))),
        }
    }
}

#[rpc_parallel::worker(connect = String)]
pub(crate) trait Slowly {
    async fn held(&self) -> usize;
}

#[rpc_parallel::worker]
impl Slowly for Slow {
    async fn held(&self) -> usize {
        Arc::strong_count(&self.0.0)
    }
}

/// How many bytes were noted in this process.
static NOTED: AtomicUsize = AtomicUsize::new(0);

/// More than a socket holds.
const BIG: usize = 32 << 20;

#[rpc_parallel::worker]
pub(crate) trait Oddities {
    async fn pid(&self) -> u32;
    /// Never lets go of its thread.
    async fn spin(&self);
    /// Replies and ends the process.
    async fn last(&self) -> u32;
    async fn big(&self, size: usize) -> Vec<u8>;
    #[rpc(one_way)]
    async fn note(&self, bytes: Vec<u8>);
    async fn noted(&self) -> usize;
    async fn endless(&self) -> impl Stream<Item = u8>;
    async fn take(&self, items: impl Stream<Item = u8>) -> usize;
}

#[rpc_parallel::worker]
impl Oddities for Odd {
    async fn pid(&self) -> u32 {
        std::process::id()
    }
    async fn spin(&self) {
        loop {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    async fn last(&self) -> u32 {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            std::process::exit(0);
        });
        7
    }
    async fn big(&self, size: usize) -> Vec<u8> {
        vec![1; size]
    }
    async fn note(&self, bytes: Vec<u8>) {
        NOTED.fetch_add(bytes.len(), SeqCst);
    }
    async fn noted(&self) -> usize {
        NOTED.load(SeqCst)
    }
    async fn endless(&self) -> impl Stream<Item = u8> {
        stream::pending()
    }
    async fn take(&self, items: impl Stream<Item = u8>) -> usize {
        items.count().await
    }
}

/// A call that cannot be sent drops its uploads, of which one may be a download of the same connection.
#[tokio::test]
async fn a_call_that_fails_drops_a_stream_of_the_same_connection() {
    let client = Odd::serve(()).await.unwrap().connect().await.unwrap();
    let download = client.endless().await.unwrap();
    client.close();
    within(client.closed()).await;
    let call = client.take(download.map(Result::unwrap_or_default));
    assert!(matches!(within(call).await, Err(CallError::Disconnected(_))));

    let client = Odd::serve(()).await.unwrap().connect().await.unwrap();
    let download = client.endless().await.unwrap();
    drop(client.close_gracefully(Duration::from_secs(600)));
    let call = client.take(download.map(Result::unwrap_or_default));
    assert!(matches!(within(call).await, Err(CallError::Cancelled(_))));
}

/// What a worker has sent before its end is read, also by a runtime that was busy and learns of the end first.
#[tokio::test]
async fn a_reply_before_the_end_of_a_worker_is_not_lost() {
    let worker = Odd::spawn(()).await.unwrap();
    let client = worker.connect().await.unwrap();
    let call = client.last().start();
    // Its reply and its end come while this runtime sees nothing.
    while worker.try_exit().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(within(call).await.unwrap(), 7);
}

/// A reply that is on its way when the worker is asked to end arrives as a whole.
#[tokio::test]
async fn a_shutdown_does_not_cut_a_reply_short() {
    for threads in [1, 2] {
        let worker = Odd::spawn(()).threads(threads).await.unwrap();
        let client = worker.connect().await.unwrap();
        let call = client.big(BIG).start();
        let handle = worker.worker().clone();
        let asked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            std::thread::sleep(Duration::from_millis(100));
            runtime.block_on(handle.shutdown()).unwrap();
        });
        // Nothing is read meanwhile.
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(within(call).await.unwrap().len(), BIG);
        assert!(within(worker.exit()).await.exit.is_success());
        asked.join().unwrap();
    }
}

/// What was sent before a client is dropped arrives, also what the socket did not take at once.
#[tokio::test]
async fn what_was_sent_before_a_close_arrives() {
    let worker = Odd::spawn(()).await.unwrap();
    let (client, other) = (worker.connect().await.unwrap(), worker.connect().await.unwrap());
    for _ in 0..32 {
        within(client.note(vec![1; BIG / 32])).await.unwrap();
    }
    drop(client);
    until("all is noted", async || other.noted().await.unwrap() == BIG).await;
}

/// A worker that is bound to its client ends after it even if it is too busy to notice.
#[tokio::test]
async fn a_busy_worker_ends_after_its_client() {
    let client = Odd::spawn(()).grace(Duration::from_millis(100)).connect().await.unwrap();
    let pid = client.pid().await.unwrap();
    let call = client.spin().start();
    drop((call, client));
    gone(pid).await;
}

/// A connect after the death of a worker tells its owner of that, also while the report is on its way.
#[tokio::test]
async fn a_connect_after_a_death_tells_of_it() {
    for _ in 0..8 {
        let worker = Odd::spawn(()).await.unwrap();
        // Without the connection that was there from the start.
        drop(worker.connect());
        kill(worker.pid());
        match within(worker.connect()).await {
            Err(ConnectError::WorkerDied(report)) => assert_eq!(report.pid, worker.pid()),
            other => panic!("{other:?}"),
        }
    }
}

/// Connections that come and go leave no task behind in a process that goes on owning the worker.
#[tokio::test]
async fn a_connection_leaves_no_task_behind() {
    let worker = Odd::spawn(()).await.unwrap();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..8 {
        let client = worker.connect().await.unwrap();
        client.close();
        within(client.closed()).await;
    }
    until("no task is left", async || tasks() == before).await;
}

/// The state of a worker that is served here is dropped when nobody can reach it any more.
#[tokio::test]
async fn a_served_worker_leaves_nothing_behind() {
    let held = || WATCHED.with(Arc::strong_count);
    let served = Watched::serve(()).await.unwrap();
    let client = served.connect_with(String::new()).await.unwrap();
    // The test's, the state's and none of `open`.
    assert_eq!(within(client.held()).await.unwrap(), 2);
    drop(served);
    assert_eq!(within(client.held()).await.unwrap(), 2);
    drop(client);
    until("the state is dropped", async || held() == 1).await;
}

/// The state of a connection is not made any further when its client is gone.
#[tokio::test]
async fn a_connection_that_is_given_up_is_not_opened() {
    let held = || WATCHED.with(Arc::strong_count);
    let served = Watched::serve(()).await.unwrap();
    let connect = tokio::spawn(served.connect_with("hang".to_owned()).into_future());
    until("it is being opened", async || held() == 3).await;
    connect.abort();
    until("it is given up", async || held() == 2).await;
}

/// A refusal with more to say than a message can have is still a refusal.
#[tokio::test]
async fn a_long_refusal_is_a_refusal() {
    let mut settings = Settings::default();
    settings.max_message_size = 1 << 10;
    let served = Watched::serve(()).settings(settings).await.unwrap();
    match within(served.connect_with("fail".to_owned())).await {
        Err(ConnectError::Refused { fault, .. }) => assert!(fault.message().starts_with("long long"), "{fault}"),
        other => panic!("{other:?}"),
    }
}

/// Where no runtime is, or one without I/O and time, connecting is an error; a client that is there already works.
#[test]
fn a_runtime_is_asked_for_in_words() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let served = runtime.block_on(Odd::serve(()).into_future()).unwrap();
    let client = runtime.block_on(served.connect().into_future()).unwrap();

    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(matches!(bare.block_on(served.connect().into_future()), Err(ConnectError::NoRuntime)));
    assert!(matches!(bare.block_on(served.shutdown()), Err(ConnectError::NoRuntime)));
    assert!(matches!(bare.block_on(Odd::serve(()).into_future()), Err(ServeError::NoRuntime)));

    assert!(matches!(outside(served.connect().into_future()), Err(ConnectError::NoRuntime)));
    assert!(matches!(outside(served.shutdown()), Err(ConnectError::NoRuntime)));
    assert!(matches!(outside(Odd::serve(()).into_future()), Err(ServeError::NoRuntime)));
    assert!(matches!(outside(Odd::spawn(()).into_future()), Err(SpawnError::NoRuntime)));

    let minute = Duration::from_secs(60);
    assert_eq!(outside(client.take(stream::iter([1, 2, 3])).deadline(minute).start()).unwrap(), 3);
    assert_eq!(outside(client.take(stream::iter([1, 2, 3])).deadline(minute)).unwrap(), 3);
    let late = outside(client.take(stream::pending()).deadline(Duration::from_millis(10)));
    assert!(late.unwrap_err().is_deadline_exceeded());
    drop(runtime);
    assert!(outside(client.take(stream::iter([1])).deadline(minute).start()).unwrap_err().is_disconnected());
    assert!(outside(client.closed()).to_string().contains("runtime"));
    // A task of another runtime is polled when it is woken, and not before.
    for call in [client.pid().start(), client.pid()] {
        assert!(bare.block_on(call).unwrap_err().is_disconnected());
    }
}

/// Runs a future as an executor does that knows nothing of tokio.
fn outside<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
