//! How much each count may be, and what a program that needs more would be doing wrong.

use std::fmt;

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Measure {
    /// Of both processes.
    SystemCalls,
    CallerAllocations,
    WorkerAllocations,
    /// Sent and received by the caller.
    Bytes,
    CallerInstructions,
    WorkerInstructions,
}

/// The most that one unit of a workload may cost.
pub(crate) struct Bound {
    pub(crate) workload: &'static str,
    pub(crate) measure: Measure,
    pub(crate) at_most: f64,
    /// Which worse design breaks it.
    pub(crate) unless: &'static str,
}

const fn bound(measure: Measure, workload: &'static str, at_most: f64, unless: &'static str) -> Bound {
    Bound { workload, measure, at_most, unless }
}

use Measure::{Bytes, CallerAllocations, CallerInstructions, SystemCalls, WorkerAllocations, WorkerInstructions};

/// A unit is one call for `sequential`, `sequential-mt` (from a multi_thread runtime) and `echo` (4 KiB there and back), a
/// thousand calls of a thousand tasks for `pipelined`, a thousand calls of one task for `window`, a thousand items for `download` and `upload`.
///
/// Spinning is off: how often one side looks for what the other is about to send depends on the other's time, and so is no
/// count. What is counted is the path on which both sides sleep.
///
/// Instructions are those of the processes, not of the kernel: what goes through shared memory is copied by the processes, which
/// saves the two system calls in which the kernel did it, and its instructions.
///
/// Allocations and bytes are as measured. System calls are a little above what is measured, since it depends on the kernel
/// how much one read finds; instructions by a tenth, since compilers and C libraries differ. A better design lowers its
/// bound with the same change.
pub(crate) const BOUNDS: &[Bound] = &[
    bound(
        SystemCalls,
        "sequential",
        4.4,
        "more than a ring of the bell and a wait on each side: the kernel in the way of the bytes, a hop between tasks, or a timer",
    ),
    bound(
        SystemCalls,
        "sequential-mt",
        4.6,
        "a hop to another thread of the runtime, which costs a wake-up and a futex",
    ),
    bound(
        SystemCalls,
        "pipelined",
        22.0,
        "a write for each call, or for each reply, rather than one for all that are ready",
    ),
    bound(
        SystemCalls,
        "window",
        6.0,
        "a write for each call, or for each reply, rather than one for all that are ready",
    ),
    bound(SystemCalls, "echo", 4.4, "the header and the payload are written, or read, on their own"),
    bound(SystemCalls, "download", 0.2, "an item is a message, or the sender waits for credit after each batch"),
    bound(SystemCalls, "upload", 0.2, "an item is a message, or the sender waits for credit after each batch"),
    bound(CallerAllocations, "sequential", 0.0, "a channel, a task, a boxed future or a buffer for each call"),
    bound(CallerAllocations, "sequential-mt", 0.0, "the same, only on a multi_thread runtime"),
    bound(CallerAllocations, "pipelined", 0.0, "a table that grows with the number of calls made, not of calls open"),
    bound(CallerAllocations, "window", 0.0, "the memory of a call is not used again"),
    bound(CallerAllocations, "echo", 1.25, "the payload is copied once more on its way"),
    bound(CallerAllocations, "download", 0.3, "a batch is decoded into a list, or an item has memory of its own"),
    bound(CallerAllocations, "upload", 0.3, "a batch is not encoded in place, or an item has memory of its own"),
    bound(
        WorkerAllocations,
        "sequential",
        0.0,
        "a task, a channel, a buffer, or memory for the future of each handler that is ready at once",
    ),
    bound(
        WorkerAllocations,
        "pipelined",
        0.0,
        "what is pending is kept for each call rather than in tables that are used again",
    ),
    bound(WorkerAllocations, "window", 0.0, "memory for a call that is answered at once"),
    bound(WorkerAllocations, "echo", 2.0, "the payload is copied once more on its way"),
    bound(WorkerAllocations, "download", 0.3, "a batch is not encoded in place, or an item has memory of its own"),
    bound(WorkerAllocations, "upload", 0.3, "a batch is decoded into a list, or an item has memory of its own"),
    bound(
        Bytes,
        "sequential",
        25.0,
        "names rather than ids, fixed-size numbers, or an acknowledgement for each reply",
    ),
    bound(Bytes, "pipelined", 27_000.0, "ids that grow with the number of calls made, not of calls open"),
    bound(Bytes, "echo", 8219.0, "a payload that is not carried as it is"),
    bound(Bytes, "download", 1001.0, "a length for each item, though all are of one size"),
    bound(Bytes, "upload", 1001.0, "a length for each item, though all are of one size"),
    bound(
        CallerInstructions,
        "sequential",
        5300.0,
        "a task or thread hop, a timer, or a hash map in the path of a call",
    ),
    bound(CallerInstructions, "sequential-mt", 5850.0, "the same, only on a multi_thread runtime"),
    bound(CallerInstructions, "pipelined", 1_230_000.0, "a lock, a wake-up or a search more for each call"),
    bound(CallerInstructions, "window", 625_000.0, "a lock, a table or a copy more for each call"),
    bound(CallerInstructions, "echo", 9100.0, "bytes that go through serde one by one, or are copied once more"),
    bound(
        CallerInstructions,
        "download",
        34_500.0,
        "a length to check and to read, a lock, or a call, for each item",
    ),
    bound(CallerInstructions, "upload", 41_500.0, "a length to write, a lock, or a call, for each item"),
    bound(WorkerInstructions, "sequential", 4750.0, "a task for each handler, or a lookup by name"),
    bound(WorkerInstructions, "pipelined", 420_000.0, "a lock, a wake-up or a search more for each call"),
    bound(WorkerInstructions, "window", 420_000.0, "a table for calls that are answered at once, or a copy more"),
    bound(WorkerInstructions, "echo", 8200.0, "bytes that go through serde one by one, or are copied once more"),
    bound(WorkerInstructions, "download", 42_500.0, "a length to write, a lock, or a call, for each item"),
    bound(WorkerInstructions, "upload", 69_500.0, "a length to check and to read, a lock, or a call, for each item"),
];

impl Measure {
    /// Whether it depends, a little, on when who has its turn.
    pub(crate) fn depends_on_turns(self) -> bool {
        matches!(self, SystemCalls | CallerAllocations)
    }

    /// A library could do without.
    pub(crate) fn can_be_zero(self) -> bool {
        matches!(self, CallerAllocations | WorkerAllocations)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SystemCalls => "system calls",
            CallerAllocations => "allocations, caller",
            WorkerAllocations => "allocations, worker",
            Bytes => "bytes",
            CallerInstructions => "instructions, caller",
            WorkerInstructions => "instructions, worker",
        })
    }
}
