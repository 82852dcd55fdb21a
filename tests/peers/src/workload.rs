//! What is measured. Everything else is derived from this table.

use crate::placement::Placement::{self, Apart, Free, OneCpu};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// One call after another, `u64 -> u64`.
    Sequential { threads: bool },
    /// Always that many calls, `u64 -> u64`.
    InFlight { width: u64, threads: bool },
    /// A stream of `u64` to the caller.
    Numbers,
    /// A stream of items of eight `f64`: 64 bytes, as no format makes fewer of them.
    Blocks,
    /// Bytes there and back.
    Echo { size: usize },
    /// Workers started at once, up to the first reply of each.
    Spawn { workers: usize },
    /// One call to each of some workers at once.
    Workers { workers: usize },
    /// Resident memory of a worker after its first reply.
    Memory,
}

/// What a unit of a workload is, and so how its figures are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unit {
    Call,
    Item,
    Echo(usize),
    Spawn,
    Round,
    Kib,
}

/// What rpc-parallel has to reach, as a multiple of the limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) must: f64,
    pub(crate) stretch: f64,
}

#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    pub(crate) places: &'static [(Placement, Option<Target>)],
}

impl Workload {
    pub(crate) fn unit(&self) -> Unit {
        match self.kind {
            Kind::Sequential { .. } | Kind::InFlight { .. } => Unit::Call,
            Kind::Numbers | Kind::Blocks => Unit::Item,
            Kind::Echo { size } => Unit::Echo(size),
            Kind::Spawn { .. } => Unit::Spawn,
            Kind::Workers { .. } => Unit::Round,
            Kind::Memory => Unit::Kib,
        }
    }

    /// Whether the caller's runtime has several threads.
    pub(crate) fn threads(&self) -> bool {
        matches!(self.kind, Kind::Sequential { threads: true } | Kind::InFlight { threads: true, .. })
    }

    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        ALL.iter().find(|workload| workload.id == id)
    }
}

const fn target(must: f64, stretch: f64) -> Option<Target> {
    Some(Target { must, stretch })
}

pub(crate) const ALL: [Workload; 13] = [
    Workload {
        id: "sequential",
        title: "Sequential call, u64 → u64",
        kind: Kind::Sequential { threads: false },
        places: &[(OneCpu, target(1.4, 1.15)), (Apart, target(0.3, 0.15))],
    },
    Workload {
        id: "sequential-mt",
        title: "Sequential call, caller on multi_thread",
        kind: Kind::Sequential { threads: true },
        places: &[(OneCpu, target(1.7, 1.25)), (Apart, target(0.4, 0.16))],
    },
    Workload {
        id: "in-flight-64",
        title: "64 calls in flight",
        kind: Kind::InFlight { width: 64, threads: false },
        places: &[(OneCpu, target(2.5, 2.0)), (Apart, target(1.2, 0.5))],
    },
    Workload {
        id: "in-flight-64-mt",
        title: "64 calls in flight, caller on multi_thread",
        kind: Kind::InFlight { width: 64, threads: true },
        places: &[(OneCpu, target(4.0, 3.2)), (Apart, None)],
    },
    Workload {
        id: "in-flight-1024",
        title: "1024 calls in flight",
        kind: Kind::InFlight { width: 1024, threads: false },
        places: &[(OneCpu, target(8.0, 6.0)), (Apart, None)],
    },
    Workload {
        id: "stream-u64",
        title: "Stream of u64",
        kind: Kind::Numbers,
        places: &[(OneCpu, target(4.0, 2.0)), (Apart, target(4.0, 2.0))],
    },
    Workload {
        id: "stream-64-bytes",
        title: "Stream of 64-byte items",
        kind: Kind::Blocks,
        places: &[(OneCpu, target(2.5, 1.5)), (Apart, target(2.5, 1.5))],
    },
    Workload {
        id: "echo-1-mib",
        title: "Echo of 1 MiB",
        kind: Kind::Echo { size: 1 << 20 },
        places: &[(OneCpu, target(1.5, 0.5)), (Apart, target(1.5, 0.5))],
    },
    Workload {
        id: "echo-64-mib",
        title: "Echo of 64 MiB",
        kind: Kind::Echo { size: 64 << 20 },
        places: &[(OneCpu, target(2.2, 0.8)), (Apart, target(2.2, 0.8))],
    },
    Workload {
        id: "spawn",
        title: "Spawn to first reply",
        kind: Kind::Spawn { workers: 1 },
        places: &[(OneCpu, target(1.2, 0.3)), (Free, target(1.2, 0.3))],
    },
    Workload {
        id: "spawn-16",
        title: "16 spawned at once, to all first replies",
        kind: Kind::Spawn { workers: 16 },
        places: &[(OneCpu, target(1.2, 0.4)), (Free, target(1.2, 0.4))],
    },
    Workload {
        id: "workers-8",
        title: "One call to each of 8 workers at once",
        kind: Kind::Workers { workers: 8 },
        places: &[(OneCpu, target(1.4, 1.0)), (Apart, None)],
    },
    Workload {
        id: "memory",
        title: "Resident memory of an idle worker",
        kind: Kind::Memory,
        places: &[(Free, target(1.4, 1.15))],
    },
];
