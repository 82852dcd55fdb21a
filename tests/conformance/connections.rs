//! Connections: their state, their end, and who is at the other end.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use rpc_parallel::{
    Address, CallError, Client, CloseKind, Closer, ConnectError, ConnectionState, Fault, Init, Settings, Spawn,
    Worker, WorkerContext, WorkerId,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::support::{stateless, until, within};

stateless!(Visitor);

/// A worker that counts its guests.
pub(crate) struct House {
    guests: AtomicU64,
    calls: AtomicU64,
}

impl Init for House {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self { guests: AtomicU64::new(0), calls: AtomicU64::new(0) })
    }
}

/// One connection to it.
pub(crate) struct Guest {
    house: Arc<House>,
    name: String,
    calls: AtomicU64,
}

impl ConnectionState for Guest {
    type Worker = House;
    type Arg = String;
    type Error = Fault;

    async fn open(house: &Arc<House>, name: String) -> Result<Arc<Self>, Fault> {
        if name.is_empty() {
            return Err(Fault::new("a guest needs a name"));
        }
        house.guests.fetch_add(1, Relaxed);
        Ok(Arc::new(Self { house: Arc::clone(house), name, calls: AtomicU64::new(0) }))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.house.guests.fetch_sub(1, Relaxed);
    }
}

#[rpc_parallel::worker(connect = String)]
pub(crate) trait Visit {
    /// Name, calls of this connection, calls of all.
    async fn call(&self) -> (String, u64, u64);
    async fn guests(&self) -> u64;
    async fn forever(&self);
}

#[rpc_parallel::worker]
impl Visit for Guest {
    async fn call(&self) -> (String, u64, u64) {
        let count = |calls: &AtomicU64| calls.fetch_add(1, Relaxed) + 1;
        (self.name.clone(), count(&self.calls), count(&self.house.calls))
    }
    async fn guests(&self) -> u64 {
        self.house.guests.load(Relaxed)
    }
    async fn forever(&self) {
        std::future::pending::<()>().await;
    }
}

/// A connection that is refused is no connection: the error comes back, and nothing of it stays at the worker.
#[tokio::test]
async fn c092_a_refused_connection_is_closed() {
    let house = House::spawn(()).await.unwrap();
    let sockets = || std::fs::read_dir(format!("/proc/{}/fd", house.pid())).unwrap().count();
    let client = house.connect_with("first".to_owned()).await.unwrap();
    let before = sockets();
    for _ in 0..20 {
        match within(house.connect_with(String::new())).await {
            Err(ConnectError::Refused { fault, .. }) => assert_eq!(fault.message(), "a guest needs a name"),
            other => panic!("{other:?}"),
        }
    }
    until("the sockets are closed", async || sockets() == before).await;
    assert_eq!(client.guests().await.unwrap(), 1);
}

#[rpc_parallel::worker]
pub(crate) trait Visits {
    async fn visit(&self, house: Worker<VisitClient>) -> Result<(String, u64, u64), Fault>;
}

#[rpc_parallel::worker]
impl Visits for Visitor {
    async fn visit(&self, house: Worker<VisitClient>) -> Result<(String, u64, u64), Fault> {
        Ok(house.connect_with("from elsewhere".to_owned()).await?.call().await?)
    }
}

/// Any number of connections, from whoever has the handle; each has a state of its own beside the worker's.
#[tokio::test]
async fn c093_each_connection_has_its_state() {
    let house = House::spawn(()).await.unwrap();
    let mut clients = Vec::new();
    for i in 0..5 {
        clients.push(house.connect_with(i.to_string()).await.unwrap());
    }
    for round in 1..=2 {
        for (i, client) in clients.iter().enumerate() {
            let total = (round - 1) * 5 + i as u64 + 1;
            assert_eq!(client.call().await.unwrap(), (i.to_string(), round, total));
        }
    }
    let visitor = Visitor::spawn(()).connect().await.unwrap();
    let seen = within(visitor.visit(house.worker().clone())).await.unwrap();
    assert_eq!(seen, ("from elsewhere".to_owned(), 1, 11));
}

/// A connection for the length of a closure, which is closed whatever the closure gives.
#[tokio::test]
async fn c094_a_scoped_connection() {
    let visitor = Visitor::spawn(()).await.unwrap();
    let house = House::spawn(()).await.unwrap();
    let mut kept = None;
    let result = visitor
        .with_client(async |client| {
            kept = Some(client.clone());
            client.visit(house.worker().clone()).await
        })
        .await
        .unwrap();
    assert_eq!(result.unwrap().1, 1);
    assert!(within(kept.unwrap().closed()).await.reason().closer() == Closer::Local);
    // An error of the closure is its value.
    let failed: Result<(), &str> = visitor.with_client(async |_| Err("of the closure")).await.unwrap();
    assert_eq!(failed, Err("of the closure"));
    assert!(visitor.try_exit().is_none());
}

/// A connection's state is dropped when the connection ends, which is how the worker learns of it. Rust: `open` gets no
/// connection, so it cannot call through it.
#[tokio::test]
async fn c095_the_state_is_dropped_with_its_connection() {
    let house = House::spawn(()).await.unwrap();
    let watcher = house.connect_with("watcher".to_owned()).await.unwrap();
    let closed = house.connect_with("closed".to_owned()).await.unwrap();
    let dropped = house.connect_with("dropped".to_owned()).await.unwrap();
    let busy = house.connect_with("busy".to_owned()).await.unwrap();
    let call = busy.forever().start();
    assert_eq!(watcher.guests().await.unwrap(), 4);
    closed.close();
    until("one is gone", async || watcher.guests().await.unwrap() == 3).await;
    drop(dropped);
    until("two are gone", async || watcher.guests().await.unwrap() == 2).await;
    // A handler that still runs for it is dropped too.
    busy.close();
    until("three are gone", async || watcher.guests().await.unwrap() == 1).await;
    assert!(matches!(within(call).await, Err(CallError::Disconnected(_))));
}

/// What a client knows of its connection.
#[tokio::test]
async fn c096_a_connection_can_be_asked() {
    let house = House::spawn(()).name("house").await.unwrap();
    let start = Instant::now();
    let client = house.connect_with("guest".to_owned()).await.unwrap();
    assert_eq!((client.worker_id(), client.is_closed(), client.close_reason()), (house.id(), false, None));
    client.call().await.unwrap();
    let before = client.traffic();
    client.call().await.unwrap();
    assert!(client.traffic().received > before.received && client.traffic().sent > before.sent);
    assert!(client.last_seen_alive() >= start);
    let text = format!("{} {:?}", *house, *house);
    assert!(text.contains("house") && text.contains(&house.id().to_string()), "{text}");

    client.close_with("enough");
    let lost = within(client.closed()).await;
    assert!(client.is_closed());
    assert_eq!(client.close_reason().as_ref(), Some(&lost));
    assert_eq!((lost.reason().closer(), lost.reason().text()), (Closer::Local, "enough"));
    assert_eq!(lost.reason().kind(), CloseKind::Other);
    assert!(lost.to_string().contains("worker house (pid "), "{lost}");
}

/// What a handle consists of.
#[derive(Deserialize, Serialize)]
pub(crate) struct Parts {
    pub(crate) id: WorkerId,
    name: Option<String>,
    pid: u32,
    host: String,
    address: Address,
    pub(crate) key: [u8; 32],
    pub(crate) settings: Settings,
}

/// The handle with some of its parts changed.
pub(crate) fn changed<C>(worker: &Worker<C>, change: impl FnOnce(&mut Parts)) -> Worker<C> {
    fn same<T: DeserializeOwned>(value: &impl Serialize) -> T {
        postcard::from_bytes(&postcard::to_stdvec(value).unwrap()).unwrap()
    }
    let mut parts = same(worker);
    change(&mut parts);
    same(&parts)
}

/// A handle names one worker: where another one listens, or with another key, there is no connection.
#[tokio::test]
async fn c097_another_worker_at_the_address_is_noticed() {
    let (one, two) = (House::spawn(()).await.unwrap(), House::spawn(()).await.unwrap());
    let same = changed(one.worker(), |_| {});
    assert_eq!(same, *one.worker());
    assert!(within(same.connect_with("guest".to_owned())).await.is_ok());
    let recycled = changed(one.worker(), |parts| parts.id = two.id());
    let stranger = changed(one.worker(), |parts| parts.key = [7; 32]);
    for handle in [recycled, stranger] {
        match within(handle.connect_with("guest".to_owned())).await {
            Err(ConnectError::Handshake { reason, .. }) => assert!(reason.is_handshake(), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(one.connect_with("guest".to_owned()).await.unwrap().guests().await.unwrap(), 1);
}
