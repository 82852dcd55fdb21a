//! Unix sockets, as `/proc` shows them.

use std::fs;

use rpc_parallel::Address;

/// Whether a process listens at a worker's address.
///
/// # Panics
///
/// If `/proc` is not mounted.
pub fn is_listening(address: &Address) -> bool {
    let name = match address {
        Address::Abstract(name) => format!("@{name}"),
        Address::Path(path) => path.display().to_string(),
        _ => unreachable!("there are no others on one machine"),
    };
    fs::read_to_string("/proc/net/unix").unwrap().lines().any(|line| line.ends_with(&name))
}
