//! How programs and workers start, and what names things.

use futures_util::FutureExt;
use rpc_parallel::{
    CallError, Client, ConnectError, FunctionId, Init, Interface, Registry, Role, ServeError, Spawn, SpawnError,
    Spawned, WorkerContext, WorkerId, role,
};

use crate::{
    harness::AwaitError,
    support::{Program, alive, gone, stateless, within},
};

stateless!(Nobody);

#[rpc_parallel::worker]
pub(crate) trait Absent {
    async fn none(&self);
}

#[rpc_parallel::worker]
impl Absent for Nobody {
    async fn none(&self) {}
}

/// Where no worker can come to be, the error says what is missing. Rust: nothing has to be initialised, so what can be
/// missing is an entry in the program that is to be the worker, or a runtime here.
#[test]
fn c044_what_is_missing_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for program in ["/bin/true", "/bin/cat"] {
        let error = runtime.block_on(within(Nobody::spawn(()).executable(program).await_error()));
        let SpawnError::NotAWorker { text, .. } = error else { panic!("{error:?}") };
        assert!(text.contains("no rpc_parallel entry ran in the child"), "{text}");
        assert!(text.contains(program), "{text}");
    }
    let error = runtime.block_on(Nobody::spawn(()).executable("/nowhere").await_error());
    assert!(matches!(&error, SpawnError::NotStarted { .. }), "{error:?}");
    assert!(error.to_string().contains("/nowhere"), "{error}");

    // Neither of these panics, as the runtime's own functions would.
    let spawned = Nobody::spawn(()).into_future().now_or_never().unwrap();
    assert!(matches!(spawned, Err(SpawnError::NoRuntime)), "{spawned:?}");
    let served = Nobody::serve(()).into_future().now_or_never().unwrap();
    assert!(matches!(served, Err(ServeError::NoRuntime)), "{served:?}");
    let served = runtime.block_on(Nobody::serve(()).into_future()).unwrap();
    let connected = served.connect().into_future().now_or_never().unwrap();
    assert!(matches!(connected, Err(ConnectError::NoRuntime)), "{connected:?}");
    assert!(spawned.unwrap_err().to_string().contains("rpc_parallel::main"));
}

/// A worker that starts one of its own kind while it is made, down to a depth.
pub(crate) struct Nested {
    child: Option<Spawned<NestClient>>,
}

impl Init for Nested {
    type Arg = u32;
    type Error = SpawnError;

    async fn init(depth: u32, _: &WorkerContext) -> Result<Self, SpawnError> {
        Ok(Self { child: if depth == 0 { None } else { Some(Self::spawn(depth - 1).await?) } })
    }
}

#[rpc_parallel::worker]
pub(crate) trait Nest {
    /// The process ids of this worker and of those below it.
    async fn pids(&self) -> Result<Vec<u32>, String>;
}

#[rpc_parallel::worker]
impl Nest for Nested {
    async fn pids(&self) -> Result<Vec<u32>, String> {
        let mut pids = vec![std::process::id()];
        if let Some(child) = &self.child {
            let child = child.connect().await.map_err(|error| error.to_string())?;
            pids.extend(child.pids().await.map_err(|error| error.to_string())?);
        }
        Ok(pids)
    }
}

/// A worker is a master too, with no further ado, and while its state is still being made.
#[tokio::test]
async fn c047_a_worker_can_spawn() {
    let worker = Nested::spawn(3).await.unwrap();
    let client = worker.connect().await.unwrap();
    let pids = within(client.pids()).await.unwrap();
    assert_eq!((pids.len(), pids[0]), (4, worker.pid()));
    assert!(pids.iter().all(|pid| alive(*pid)));
    drop((worker, client));
    for pid in pids {
        gone(pid).await;
    }
}

/// A program that links the library and does not use it has no thread, no socket and no listener of it.
#[test]
fn c048_what_is_not_used_costs_nothing() {
    let mut program = Program::start(&["idle"]);
    assert_eq!(program.numbers(), [1, 0]);
    assert!(program.finish().0.success());
}

#[rpc_parallel::worker]
pub(crate) trait Roles {
    /// What the worker's process says that it is.
    async fn role(&self) -> (Option<WorkerId>, Option<String>);
}

stateless!(Somebody);

#[rpc_parallel::worker]
impl Roles for Somebody {
    async fn role(&self) -> (Option<WorkerId>, Option<String>) {
        match role() {
            Role::Worker { id, name, .. } => (Some(id), name),
            _ => (None, None),
        }
    }
}

/// Any code can tell in which kind of process it runs. The original has a token that proves that a process was
/// initialised; nothing has to be here, so what is left of it is the question itself.
#[tokio::test]
async fn c049_a_process_knows_its_role() {
    assert_eq!(role(), Role::Master);
    let worker = Somebody::spawn(()).name("somebody").await.unwrap();
    let client = worker.connect().await.unwrap();
    assert_eq!(client.role().await.unwrap(), (Some(worker.id()), Some("somebody".to_owned())));
    // To serve one here does not make this process a worker.
    let served = Somebody::serve(()).await.unwrap();
    let client = served.connect().await.unwrap();
    assert_eq!(client.role().await.unwrap(), (None, None));
    assert_eq!(role(), Role::Master);
}

/// The program's own `main` runs in the master alone, so that a worker reads no command line; and what a worker starts
/// is not taken for a worker.
#[test]
fn c050_main_runs_in_the_master_alone() {
    let mut program = Program::start(&["cli", "--bad-flag", "-vv", ""]);
    assert_eq!(program.line(), "main");
    assert_eq!(program.line(), "0 0");
    let (status, rest, _) = program.finish();
    assert!(status.success());
    assert_eq!(rest, "");
}

/// A program that does not have the worker says so at once, and what it has.
#[tokio::test]
async fn c051_an_unknown_worker_type_is_told() {
    match within(Nobody::spawn(()).executable(Program::PATH).await_error()).await {
        SpawnError::NotRegistered(text) => {
            for part in ["Nobody", "Absent", "is linked into this program", "Sums"] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
        other => panic!("{other:?}"),
    }
}

/// Ids come from paths: neither the order of definition nor another trait with the same method changes them. That two
/// things with one id are refused is tested with the registry.
#[test]
fn c052_ids_come_from_paths() {
    mod one {
        #[rpc_parallel::worker]
        pub(crate) trait Same {
            async fn a(&self);
            async fn b(&self);
        }
    }
    mod two {
        #[rpc_parallel::worker]
        pub(crate) trait Same {
            async fn b(&self);
            async fn a(&self);
        }
    }
    let id = |module: &str, name: &str| -> FunctionId {
        let functions =
            if module == "one" { one::SameClient::INTERFACE } else { two::SameClient::INTERFACE }.functions;
        functions.iter().find(|function| function.name.ends_with(name)).unwrap().id
    };
    let ids = [id("one", "a"), id("one", "b"), id("two", "a"), id("two", "b")];
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 4, "{ids:?}");
    // The same path, written down once more in another order and at another place, is the same name: in a function a
    // trait has the path of the module.
    let [first, again] = [in_one_order(), in_another_order()];
    assert_eq!(first.id, again.id);
    assert_ne!((first.line, first.functions[0].name), (again.line, again.functions[0].name));
    for function in first.functions {
        let twin = again.functions.iter().find(|twin| twin.name == function.name).unwrap();
        assert_eq!((function.id, function.signature), (twin.id, twin.signature), "{}", function.name);
    }
    // An id that changed would be another function for a program that was built before.
    assert_eq!(first.id.to_string(), "ce24c6efa6629806");
    let ids: Vec<_> = first.functions.iter().map(|function| function.id.to_string()).collect();
    assert_eq!(ids, ["0da0ca7feb934d1d", "d388de318c8db2b3", "074ba44b54bce67b"]);
    assert_eq!(
        <PinnedClient as Client>::INTERFACE.functions[0].id,
        FunctionId::of_path(&["name", "conformance.pinned.greet"])
    );
    assert!(Registry::global().is_ok());
}

fn in_one_order() -> &'static Interface {
    #[rpc_parallel::worker]
    trait Shuffled {
        async fn add(&self, n: u64) -> u64;
        #[rpc(one_way)]
        fn note(&self, text: String);
        fn crunch(&self, n: u64) -> u64;
    }
    ShuffledClient::INTERFACE
}

fn in_another_order() -> &'static Interface {
    #[rpc_parallel::worker]
    trait Shuffled {
        fn crunch(&self, n: u64) -> u64;
        async fn add(&self, n: u64) -> u64;
        #[rpc(one_way)]
        fn note(&self, text: String);
    }
    ShuffledClient::INTERFACE
}

/// What `program/workers.rs` serves: under another name, in another order, and with one signature that differs.
#[rpc_parallel::worker(name = "conformance.pinned")]
pub(crate) trait Pinned {
    #[rpc(name = "conformance.pinned.greet")]
    async fn greet(&self, who: String) -> String;
    #[rpc(name = "conformance.pinned.twice")]
    async fn double(&self, n: u64) -> u64;
    #[rpc(name = "conformance.pinned.differs")]
    async fn differs(&self, n: String) -> String;
}

/// A function may be given a name for the wire, by which other programs call it, whatever they call it themselves; one
/// whose signature differs is refused by name, and the others work.
#[tokio::test]
async fn c053_a_name_for_other_programs() {
    let mut program = Program::start(&["serve"]);
    let handle: rpc_parallel::Worker<PinnedClient> = crate::support::from_hex(&program.line());
    let client = within(handle.connect()).await.unwrap();
    assert_eq!(client.double(21).await.unwrap(), 42);
    assert_eq!(client.greet("you".into()).await.unwrap(), "hello you");
    match within(client.differs("x".into())).await {
        Err(CallError::Mismatch(text)) => assert!(text.contains("differs"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(client.double(4).await.unwrap(), 8);
}
