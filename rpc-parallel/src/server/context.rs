//! What a worker knows of itself.

use crate::id::WorkerId;

/// What a worker knows of itself while its state is made.
#[derive(Clone, Debug)]
pub struct WorkerContext {
    id: WorkerId,
    name: Option<String>,
}

impl WorkerContext {
    pub(crate) fn new(id: WorkerId, name: Option<String>) -> Self {
        Self { id, name }
    }

    /// The worker's id.
    pub fn id(&self) -> WorkerId {
        self.id
    }

    /// The name that it was given when it was spawned or served.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}
