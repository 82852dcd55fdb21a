//! What `spawn` needs of the registration: the client is inferred.

use rpc_parallel::{Client, Init, Registered, Registry};

use crate::{
    generic::{Mem, Plain, PlainClient, Wrap},
    places::Room,
    shapes::{EverythingClient, State},
};

struct Spawn<C>(C);

impl<C> Spawn<C> {
    fn client(&self) -> &C {
        &self.0
    }
}

trait Spawnable: Init {
    fn spawn<C: Client>(_arg: Self::Arg) -> Option<Spawn<C>>
    where
        Self: Registered<C>,
    {
        None
    }
}

impl<T: Init> Spawnable for T {}

#[test]
fn the_client_is_inferred() {
    let spawned = State::spawn(5);
    let _: Option<&EverythingClient> = spawned.as_ref().map(Spawn::client);
    let _ = Wrap::<u64>::spawn::<PlainClient>(());
    // The connection state's trait is the worker's interface.
    let _ = Room::spawn(());
    // Several traits: the place that uses the client says which.
    let _ = Mem::spawn::<crate::generic::StoreClient<String, u64>>(());
    let _ = Mem::spawn::<crate::generic::BoundedClient<u8, 3>>(());
    let _ = <Wrap<String> as Plain>::show;
}

#[test]
fn all_implementations_are_registered() {
    let registry = Registry::global().unwrap();
    let listed = format!("{:?}", registry.registrations());
    for name in ["shapes::State", "generic::Mem", "generic::Wrap<u64>", "places::Guest", "Store for"] {
        assert!(listed.contains(name), "{name} in {listed}");
    }
}
