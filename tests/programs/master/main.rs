//! A master for the tests to kill: it starts workers and says on stdout, line by line, how far it is.
//!
//! - `tree`: a tree with a worker in each state in which one could be missed;
//! - `end HOW`: two workers, one with a plain child; then the master ends in the way that is asked for.

mod end;
mod limb;
mod tree;

use std::{
    env,
    io::{self, Write},
};

#[rpc_parallel::main]
async fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tree"] => tree::grow().await,
        ["end", how] => end::end(how).await,
        // A worker must never come here, whatever its arguments are.
        _ => panic!("what is {args:?}?"),
    }
}

/// Says something to the test. One write for one line, as several processes say theirs over one pipe.
fn say(line: &str) {
    // The test may be through with this process.
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}
