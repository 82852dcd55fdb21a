//! What a client never does, since it is made of an open connection.

use std::convert::Infallible;

use crate::{
    CallError, Client, ConnectError, Init, Spawn, WorkerContext,
    client::failure,
    connection::RawCall,
    spawn::connect::{connect_raw, open},
};

struct Echo;

impl Init for Echo {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[crate::worker]
trait Echoes {
    async fn echo(&self, n: u32) -> u32;
}

#[crate::worker]
impl Echoes for Echo {
    async fn echo(&self, n: u32) -> u32 {
        n
    }
}

/// A connection serves nothing before it has a state, and it gets a state once.
#[tokio::test]
async fn c098_a_connection_is_opened_once() {
    let served = Echo::serve(()).await.unwrap();
    let contact = &served.worker().inner;
    let connection = connect_raw(contact, None).await.unwrap();
    let interface = EchoesClient::INTERFACE;
    let echo = async || {
        let payload = postcard::to_stdvec(&7_u32).unwrap();
        let mut call = RawCall::new(&connection, interface.functions[0].id);
        *call.arguments() = payload;
        call.end().await.unwrap()
    };
    let early = echo().await;
    let error: CallError = failure(early.0, &early.1);
    assert!(error.to_string().contains("the connection has no state yet"), "{error}");

    // Two at once: one of them is too late.
    let empty = || postcard::to_stdvec(&()).unwrap();
    let (first, second) = futures_util::join!(
        open(&connection, contact, interface, empty()),
        open(&connection, contact, interface, empty())
    );
    first.unwrap();
    let again = open(&connection, contact, interface, empty()).await;
    for refused in [second, again] {
        assert!(
            matches!(&refused, Err(ConnectError::Argument(text)) if text.contains("opened before")),
            "{refused:?}"
        );
    }
    let reply = echo().await;
    assert_eq!(postcard::from_bytes::<u32>(&reply.1).unwrap(), 7);
}
