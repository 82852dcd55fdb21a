//! The SHA-256 of every regular file below some paths, computed by worker processes.
//!
//! ```text
//! cargo run --release --bin checksum -- [--workers N] PATH...
//! ```
//!
//! Prints, byte for byte, what `find PATH... -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum` prints.
//!
//! What there is to see:
//!
//! - [`worker`]: hashing is a plain `fn` of the trait. It may block and compute for as long as it likes. The contents of
//!   the files never leave the worker; only paths, as bytes, and digests travel.
//! - [`walk`]: finds the files in their final order, a bounded number of batches ahead.
//! - [`run`]: spawns the workers and keeps each of them busy. The results come in order because `buffered` holds back
//!   those that are early, a bounded number of them. A worker that dies ends the program with a report of its death.
//! - [`output`]: a thread that writes, so that a reader of our output who takes his time does not keep us from noticing
//!   anything else.

mod args;
mod output;
mod run;
mod walk;
mod worker;

use std::process::ExitCode;

use crate::args::Command;

#[rpc_parallel::main]
async fn main() -> ExitCode {
    match args::parse(std::env::args_os().skip(1)) {
        Ok(Command::Sum(job)) => run::run(job).await,
        Ok(Command::Help) => {
            print!("{}", args::USAGE);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprint!("checksum: {error}\n{}", args::USAGE);
            ExitCode::from(2)
        }
    }
}
