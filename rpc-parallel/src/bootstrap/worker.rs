//! What a worker does with its ticket.

use super::Ticket;

/// Runs the worker.
pub(crate) fn run(ticket: Ticket) -> ! {
    #[cfg(test)]
    crate::process::tests::commands::run(ticket);
    #[cfg(not(test))]
    ticket.control.failed(b"this build of rpc-parallel has no worker")
}
