//! The trait says what `connect_with` takes, and the connection state says what it is made from: it is one type.
//! Write the same type in `connect = Type` and in `type Arg`.

use std::{convert::Infallible, sync::Arc};

use rpc_parallel::{ConnectionState, Init, WorkerContext, worker};

#[worker(connect = String)]
pub trait Chat {
    fn say(&self, text: &str);
}

pub struct Room;

impl Init for Room {
    type Arg = u64;
    type Error = Infallible;

    async fn init(_: u64, _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

pub struct Guest;

impl ConnectionState for Guest {
    type Worker = Room;
    type Arg = u64;
    type Error = Infallible;

    async fn open(_: &Arc<Room>, _: u64) -> Result<Arc<Self>, Infallible> {
        Ok(Arc::new(Self))
    }
}

#[worker]
impl Chat for Guest {
    fn say(&self, _text: &str) {}
}

fn main() {}
