//! Where traits and implementations may stand.

use std::{convert::Infallible, sync::Arc};

use crate::block_on;
use rpc_parallel::{Client, ConnectionState, Init, WorkerContext, worker};

macro_rules! unit_worker {
    ($($name:ident),*) => {$(
        pub(crate) struct $name;

        impl Init for $name {
            type Arg = ();
            type Error = Infallible;

            async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
                Ok(Self)
            }
        }
    )*};
}

unit_worker!(One, Two, Room);

mod a {
    /// Public.
    #[rpc_parallel::worker]
    pub(crate) trait Same {
        async fn name(&self) -> String;
    }
    #[rpc_parallel::worker]
    pub(crate) trait Inner {
        fn name(&self) -> u8;
    }
}

mod b {
    #[rpc_parallel::worker(name = "b.same", client = TheClient)]
    pub(super) trait Same {
        async fn name(&self) -> str_alias::Alias;
    }
    pub(super) mod str_alias {
        pub(crate) type Alias = String;
    }
}

#[worker]
impl a::Same for One {
    async fn name(&self) -> String {
        "a".to_owned()
    }
}

#[worker]
impl a::Same for Two {
    async fn name(&self) -> String {
        "two".to_owned()
    }
}

#[worker]
impl a::Inner for One {
    fn name(&self) -> u8 {
        1
    }
}

#[worker(client = b::TheClient)]
impl b::Same for One {
    async fn name(&self) -> String {
        "b".to_owned()
    }
}

// Private, and nobody calls it.
#[worker]
trait Private {
    async fn unused(&self, n: u8) -> u8;
}

#[worker]
impl Private for One {
    async fn unused(&self, n: u8) -> u8 {
        n
    }
}

#[worker]
#[cfg(any())]
pub(crate) trait Absent {
    async fn unused(&self) -> DoesNotExist;
}

#[worker]
#[cfg(any())]
impl Absent for One {}

#[worker]
pub(crate) trait Nothing {}

#[worker]
impl Nothing for Two {}

/// A trait made by a macro of the user's.
macro_rules! traits {
    ($($name:ident($ty:ty)),*) => {$(
        #[worker]
        pub(crate) trait $name {
            async fn get(&self, value: $ty, list: &[$ty]) -> $ty;
        }

        #[worker]
        impl $name for Two {
            async fn get(&self, value: $ty, _list: &[$ty]) -> $ty {
                value
            }
        }
    )*};
}

traits!(GetNumber(u64), GetText(String));

/// One for each connection.
pub(crate) struct Guest {
    _room: Arc<Room>,
    name: String,
}

impl ConnectionState for Guest {
    type Worker = Room;
    type Arg = String;
    type Error = Infallible;

    async fn open(room: &Arc<Room>, name: String) -> Result<Arc<Self>, Infallible> {
        Ok(Arc::new(Self { _room: Arc::clone(room), name }))
    }
}

#[worker(connect = String)]
pub(crate) trait Chat {
    async fn who(&self) -> String;
}

#[worker]
impl Chat for Guest {
    async fn who(&self) -> String {
        self.name.clone()
    }
}

#[test]
fn a_trait_in_a_function() {
    #[worker]
    pub(crate) trait Local {
        async fn get(&self) -> u8;
    }

    #[worker]
    impl Local for Two {
        async fn get(&self) -> u8 {
            5
        }
    }

    assert_eq!(block_on(Local::get(&Two)), 5);
    assert_eq!(LocalClient::INTERFACE.name, "grammar::places::Local");
}

#[test]
fn equal_names_do_not_meet() {
    assert_eq!(block_on(a::Same::name(&One)), "a");
    assert_eq!(block_on(b::Same::name(&One)), "b");
    assert_eq!(a::Inner::name(&One), 1);
    assert_ne!(a::SameClient::INTERFACE.functions[0].id, b::TheClient::INTERFACE.functions[0].id);
}
