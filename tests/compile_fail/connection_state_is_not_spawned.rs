//! A connection state is made by its worker, when someone connects.
//! Spawn the worker, and connect to it.

use std::{convert::Infallible, sync::Arc};

use rpc_parallel::{ConnectionState, Init, Spawn, WorkerContext, worker};

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
    type Arg = String;
    type Error = Infallible;

    async fn open(_: &Arc<Room>, _: String) -> Result<Arc<Self>, Infallible> {
        Ok(Arc::new(Self))
    }
}

#[worker]
impl Chat for Guest {
    fn say(&self, _text: &str) {}
}

fn main() {
    let _ = Guest::spawn::<ChatClient>("name".to_owned());
}
