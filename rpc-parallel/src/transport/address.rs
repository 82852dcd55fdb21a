//! Where a worker listens.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Where a worker listens for connections.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Address {
    /// A Linux Unix socket without a file, in the network namespace of the worker.
    Abstract(String),
    /// A Unix socket at this path, in a directory that only its owner can enter.
    Path(PathBuf),
}

impl Address {
    /// Of a worker that does not listen, since nobody but its spawner can know of it.
    pub(crate) fn of_nobody() -> Self {
        Self::Path(PathBuf::new())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Path(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
