//! A worker with a secret, and what its handle consists of.

use std::convert::Infallible;

use rpc_parallel::{Address, Init, Worker, WorkerContext};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[rpc_parallel::worker]
pub(crate) trait Vault {
    /// The secret's length.
    async fn measure(&self) -> usize;
}

pub(crate) struct Safe(String);

impl Init for Safe {
    type Arg = String;
    type Error = Infallible;

    async fn init(secret: String, _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(secret))
    }
}

#[rpc_parallel::worker]
impl Vault for Safe {
    async fn measure(&self) -> usize {
        self.0.len()
    }
}

/// The serialised form of a handle, up to its key.
#[derive(Deserialize, Serialize)]
pub(crate) struct Opened {
    pub(crate) id: [u8; 16],
    pub(crate) name: Option<String>,
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) address: Address,
    pub(crate) key: [u8; 32],
}

impl Opened {
    /// Takes a handle apart: its fields up to the key, and the bytes of the rest.
    pub(crate) fn of<C>(handle: &Worker<C>) -> (Self, Vec<u8>)
    where
        Worker<C>: Serialize,
    {
        let bytes = postcard::to_stdvec(handle).unwrap();
        let (opened, rest) = postcard::take_from_bytes::<Self>(&bytes).unwrap();
        assert_eq!(opened.pid, handle.pid());
        assert_eq!(opened.address, *handle.address());
        (opened, rest.to_vec())
    }

    /// Puts it together again.
    pub(crate) fn close<C>(&self, rest: &[u8]) -> Worker<C>
    where
        Worker<C>: DeserializeOwned,
    {
        let bytes = [postcard::to_stdvec(self).unwrap(), rest.to_vec()].concat();
        postcard::from_bytes(&bytes).unwrap()
    }
}
