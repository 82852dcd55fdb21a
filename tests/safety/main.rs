//! What others on the machine can see of a worker, and whether they can reach it.

mod secrets;
mod strangers;
mod vault;
