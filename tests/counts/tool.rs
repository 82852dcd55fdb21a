//! The programs that count from outside.

use std::process::{Command, Stdio};

/// Whether the tool can be used here. Where it must be, it is a failure that it cannot.
pub(crate) fn is_there(name: &str, options: &[&str]) -> bool {
    // With something to watch: it may be installed and not be allowed to.
    let mut command = Command::new(name);
    command.args(options).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    assert!(there || std::env::var_os(REQUIRED).is_none(), "{name} is not installed, or not allowed to work");
    if !there {
        println!("skipped: {name} is not installed, or not allowed to work");
    }
    there
}

/// Set where everything that tests use must be installed.
const REQUIRED: &str = "RPC_PARALLEL_REQUIRE_SERVICES";
