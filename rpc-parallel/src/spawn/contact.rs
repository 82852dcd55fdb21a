//! How to reach a worker.

use std::io;

use serde::{Deserialize, Serialize};

use crate::{id::WorkerId, settings::Settings, transport::Address};

/// How to reach a worker.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub(crate) struct Contact {
    pub(crate) id: WorkerId,
    pub(crate) name: Option<String>,
    pub(crate) pid: u32,
    pub(crate) host: String,
    pub(crate) address: Address,
    pub(crate) key: [u8; 32],
    pub(crate) settings: Settings,
}

impl Contact {
    /// Names the worker in a sentence.
    pub(crate) fn describe(&self) -> String {
        match &self.name {
            Some(name) => format!("worker {name} (pid {} on {})", self.pid, self.host),
            None => format!("worker {} (pid {} on {})", self.id, self.pid, self.host),
        }
    }
}

/// Draws the id and the key of a new worker.
pub(super) fn draw() -> io::Result<(WorkerId, [u8; 32])> {
    let (mut id, mut key) = ([0; 16], [0; 32]);
    for random in [&mut id[..], &mut key[..]] {
        getrandom::fill(random).map_err(|error| io::Error::other(error.to_string()))?;
    }
    Ok((WorkerId::from_bytes(id), key))
}
