//! Masters and workers that are killed, dropped, blocked and stopped at any moment: nothing may be left behind, and nothing
//! may hang.
//!
//! `RPC_PARALLEL_FAULT_ROUNDS` says how often the two large tests try (default 500), `RPC_PARALLEL_FAULT_SEED` repeats
//! the random moments of a run.

mod batch;
mod ends;
mod heartbeat;
mod lane;
mod life;
mod load;
mod many;
mod queue;
mod spin;
mod target;
mod tree;

/// How often a test with random moments tries.
fn rounds() -> u64 {
    match std::env::var("RPC_PARALLEL_FAULT_ROUNDS") {
        Ok(rounds) => rounds.parse().unwrap(),
        Err(_) => 500,
    }
}
