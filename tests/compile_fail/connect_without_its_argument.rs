//! A trait with `connect = Type` makes a state for each connection, from an argument.
//! Write `connect_with(argument)`.

use rpc_parallel::{Worker, worker};

#[worker(connect = String)]
pub trait Chat {
    async fn say(&self, text: &str);
}

pub async fn run(room: Worker<ChatClient>) {
    let _ = room.connect().await;
}

fn main() {}
