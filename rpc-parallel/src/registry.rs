//! All implementations of worker traits that are linked into this program.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    Fault, FunctionId, InterfaceId, WorkerTypeId,
    client::Client,
    codec,
    function::{Function, Interface},
    handler::{Dispatch, Dispatcher, Handler},
    hash::hash_parts,
    init::{ConnectionState, Init, WorkerContext},
};

/// A future whose type is forgotten.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What dispatches the calls of a new connection, or why there is none.
pub(crate) type Opened = Result<Box<dyn Dispatch>, Fault>;

/// Worker state whose type is forgotten.
pub(crate) type AnyState = Arc<dyn Any + Send + Sync>;

/// A worker type that serves the interface of the client `C`: there is a `#[rpc_parallel::worker]` implementation of
/// its trait, for the type itself or for a connection state of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not registered as a worker for `{C}`",
    label = "no `#[rpc_parallel::worker]` on its implementation of the trait",
    note = "put `#[rpc_parallel::worker]` on `impl .. for {Self}`, as on the trait"
)]
pub trait Registered<C>: Init {}

/// A type with the handlers for the interface of the client `C`. That it is a connection state is asked by
/// [`WorkerOf`] alone, so that one which is none is one error.
pub trait Serves<C: Client>: Sized + Send + Sync + 'static {
    /// What runs the functions, in the order of the interface.
    fn handlers() -> &'static [Handler<Self>];
}

/// The worker of the connection state `T`, which serves the interface of the client `C`.
pub trait WorkerOf<T, C: Client>: Init {
    /// Makes what dispatches the calls of one connection.
    fn open(worker: AnyState, arg: Bytes) -> Boxed<Opened>;
}

impl<W, T, C> WorkerOf<T, C> for W
where
    W: Init,
    T: Serves<C> + ConnectionState<Worker = W, Arg = C::ConnectArg>,
    C: Client,
{
    fn open(worker: AnyState, arg: Bytes) -> Boxed<Opened> {
        Box::pin(open::<T, C>(worker, arg))
    }
}

/// One implementation of a worker trait.
#[non_exhaustive]
pub struct Registration {
    /// The trait.
    pub interface: &'static Interface,
    /// The type that is spawned.
    pub worker_type: fn() -> WorkerTypeId,
    /// Its name.
    pub worker_type_name: fn() -> &'static str,
    /// The name of the type that implements the trait.
    pub implementation_name: fn() -> &'static str,
    /// The source file of the implementation.
    pub file: &'static str,
    /// Its line, from 1.
    pub line: u32,
    /// Makes the worker's state from its encoded argument.
    pub init: fn(Bytes, WorkerContext) -> Boxed<Result<AnyState, Fault>>,
    /// Makes what dispatches the calls of one connection, from the worker's state and the encoded argument of
    /// `connect`.
    pub open: fn(AnyState, Bytes) -> Boxed<Opened>,
}

inventory::collect!(Registration);

impl Registration {
    /// The registration of the implementation for `T` of the trait of which `C` is the client.
    pub const fn of<W: WorkerOf<T, C>, T: Serves<C>, C: Client>(file: &'static str, line: u32) -> Self {
        Self {
            interface: C::INTERFACE,
            worker_type: WorkerTypeId::of::<W>,
            worker_type_name: std::any::type_name::<W>,
            implementation_name: std::any::type_name::<T>,
            file,
            line,
            init: |arg, cx| Box::pin(init::<W>(arg, cx)),
            open: W::open,
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} ({}:{})", self.interface.name, (self.implementation_name)(), self.file, self.line)
    }
}

async fn init<W: Init>(arg: Bytes, cx: WorkerContext) -> Result<AnyState, Fault> {
    let arg = argument::<W::Arg>("the worker's argument", &arg)?;
    let worker = W::init(arg, &cx).await.map_err(Into::into)?;
    Ok(Arc::new(worker))
}

async fn open<T, C>(worker: AnyState, arg: Bytes) -> Opened
where
    T: Serves<C> + ConnectionState<Arg = C::ConnectArg>,
    C: Client,
{
    let worker = worker
        .downcast::<T::Worker>()
        .map_err(|_| Fault::new(format!("the worker's state is no `{}`", std::any::type_name::<T::Worker>())))?;
    let arg = argument::<T::Arg>("the argument of `connect`", &arg)?;
    let state = T::open(&worker, arg).await.map_err(Into::into)?;
    Ok(Box::new(Dispatcher::new(state, C::INTERFACE, T::handlers())))
}

fn argument<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Fault> {
    codec::decode(bytes).map_err(|error| Fault::new(format!("{what}: {error}")))
}

/// The registrations of a program, indexed: which worker types there are, and which traits they serve.
///
/// Nobody needs it to spawn. A program that wants to know at its start whether all is well asks:
///
/// ```
/// rpc_parallel::Registry::global().expect("no two functions, traits or workers have one identity");
/// ```
#[derive(Debug)]
pub struct Registry {
    registrations: Vec<&'static Registration>,
    by_key: HashMap<(WorkerTypeId, InterfaceId), &'static Registration>,
    interfaces: HashMap<InterfaceId, &'static Interface>,
}

/// Two things of one program have the same identity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two methods have one id.
    #[error("the functions `{}` ({}) and `{}` ({}) have the same id {id}: give one of them a name of its own with `#[rpc(name = \"..\")]`", names.0, places.0, names.1, places.1)]
    Function {
        /// The id.
        id: FunctionId,
        /// The two functions' names.
        names: (&'static str, &'static str),
        /// `file:line` of both.
        places: (String, String),
    },
    /// Two traits have one id.
    #[error("the worker traits `{}` ({}) and `{}` ({}) have the same id {id}: give one of them a name of its own with `#[rpc_parallel::worker(name = \"..\")]`", names.0, places.0, names.1, places.1)]
    Interface {
        /// The id.
        id: InterfaceId,
        /// The two traits' names.
        names: (&'static str, &'static str),
        /// `file:line` of both.
        places: (String, String),
    },
    /// A worker type serves one trait twice.
    #[error("`{worker}` serves `{interface}` twice, at {} and at {}: a worker has one implementation of each trait, for itself or for one type of connection state", places.0, places.1)]
    Twice {
        /// The worker type.
        worker: &'static str,
        /// The trait.
        interface: &'static str,
        /// `file:line` of both.
        places: (String, String),
    },
}

/// No implementation of the asked interface is linked into this program for the asked worker type.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct NotRegistered {
    message: String,
}

impl Registry {
    /// The registry of this program, built once.
    ///
    /// # Errors
    ///
    /// If two things in the program have the same identity. It is also the error of every spawn.
    pub fn global() -> Result<&'static Self, &'static RegistryError> {
        static GLOBAL: OnceLock<Result<Registry, RegistryError>> = OnceLock::new();
        GLOBAL.get_or_init(|| Self::new(inventory::iter::<Registration>)).as_ref()
    }

    /// Indexes `registrations`.
    pub(crate) fn new(registrations: impl IntoIterator<Item = &'static Registration>) -> Result<Self, RegistryError> {
        let mut sorted: Vec<&Registration> = Vec::new();
        for one in registrations {
            // The order of linking must show nowhere. There are too few for the code of a sort.
            let key = |one: &Registration| (one.file, one.line, (one.implementation_name)());
            sorted.insert(sorted.partition_point(|other| key(other) <= key(one)), one);
        }
        let mut registry = Self { registrations: Vec::new(), by_key: HashMap::new(), interfaces: HashMap::new() };
        let mut functions = HashMap::new();
        for registration in sorted {
            registry.add_interface(registration.interface, &mut functions)?;
            registry.add(registration)?;
        }
        Ok(registry)
    }

    fn add_interface(
        &mut self,
        interface: &'static Interface,
        functions: &mut HashMap<FunctionId, (&'static Interface, &'static Function)>,
    ) -> Result<(), RegistryError> {
        if let Some(known) = self.interfaces.insert(interface.id, interface) {
            // A generic trait has one descriptor for each of its instances.
            if (known.file, known.line, known.name) == (interface.file, interface.line, interface.name) {
                return Ok(());
            }
            return Err(RegistryError::Interface {
                id: interface.id,
                names: (known.name, interface.name),
                places: (place(known.file, known.line), place(interface.file, interface.line)),
            });
        }
        for function in interface.functions {
            if let Some((other, known)) = functions.insert(function.id, (interface, function)) {
                return Err(RegistryError::Function {
                    id: function.id,
                    names: (known.name, function.name),
                    places: (place(other.file, known.line), place(interface.file, function.line)),
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, registration: &'static Registration) -> Result<(), RegistryError> {
        let key = ((registration.worker_type)(), registration.interface.id);
        if let Some(known) = self.by_key.insert(key, registration) {
            return Err(RegistryError::Twice {
                worker: (registration.worker_type_name)(),
                interface: registration.interface.name,
                places: (place(known.file, known.line), place(registration.file, registration.line)),
            });
        }
        self.registrations.push(registration);
        Ok(())
    }

    /// The implementation of `interface` for `worker_type`.
    pub fn get(&self, worker_type: WorkerTypeId, interface: InterfaceId) -> Option<&'static Registration> {
        self.by_key.get(&(worker_type, interface)).copied()
    }

    /// The same without an index, for programs that are known to have no two things of one identity: a worker needs one
    /// registration of perhaps thousands, and whoever has spawned it has looked at all.
    ///
    /// By the type's name, of which its id is a hash that would have to be made first.
    pub(crate) fn pick(worker_type_name: &str, interface: InterfaceId) -> Option<&'static Registration> {
        let mut all = inventory::iter::<Registration>.into_iter();
        all.find(|one| one.interface.id == interface && (one.worker_type_name)() == worker_type_name)
    }

    /// Like [`get`](Self::get), by ids and names.
    ///
    /// # Errors
    ///
    /// If there is none; it says what was asked for, and lists what there is.
    pub fn find(
        &self,
        (worker_type, worker_type_name): (WorkerTypeId, &str),
        (interface, interface_name): (InterfaceId, &str),
    ) -> Result<&'static Registration, NotRegistered> {
        self.get(worker_type, interface).ok_or_else(|| NotRegistered {
            message: format!(
                "no implementation of `{interface_name}` for the worker `{worker_type_name}` is linked into this \
                 program; registered are: {}. If it is in a library that the program does not mention otherwise, add \
                 `use {} as _;`",
                self.list(),
                worker_type_name.split("::").next().unwrap_or(worker_type_name),
            ),
        })
    }

    /// All registrations, in an order that does not depend on linking.
    pub fn registrations(&self) -> &[&'static Registration] {
        &self.registrations
    }

    fn list(&self) -> String {
        if self.registrations.is_empty() {
            return "none".to_owned();
        }
        let lines: Vec<_> = self.registrations.iter().map(|one| format!("{one:?}")).collect();
        lines.join(", ")
    }

    /// A digest of all ids and signatures, for telling builds apart that have no better build id.
    pub fn digest(&self) -> [u8; 16] {
        let mut halves = [("build, first half", 0_u64), ("build, second half", 0)];
        // A sum, so that the order does not matter.
        let mut add = |line: String| {
            for (seed, sum) in &mut halves {
                *sum = sum.wrapping_add(hash_parts(&[seed, &line]));
            }
        };
        for one in &self.registrations {
            add(format!("{} {}", (one.worker_type)(), one.interface.id));
        }
        for interface in self.interfaces.values() {
            for function in interface.functions {
                add(format!("{} {} {:016x}", interface.id, function.id, function.signature));
            }
        }
        let mut digest = [0; 16];
        digest[..8].copy_from_slice(&halves[0].1.to_be_bytes());
        digest[8..].copy_from_slice(&halves[1].1.to_be_bytes());
        digest
    }
}

fn place(file: &str, line: u32) -> String {
    format!("{file}:{line}")
}

#[cfg(test)]
mod tests;
