//! One measurement, in a process of its own: nothing that a library leaves behind meets the next one, and one that
//! hangs is ended.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use crate::{
    peers::{self, Library},
    placement::Placement,
    process,
    sample::Sample,
    workload::{Kind, Workload},
};

/// The first argument of the process that is the caller of one cell.
pub(crate) const ROLE: &str = "--cell";

/// The variants of calls in flight.
pub(crate) const TASKS: &str = "a task per call";
pub(crate) const ONE_TASK: &str = "one task";

/// What one measurement is about.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) library: &'static Library,
    pub(crate) workload: &'static Workload,
    /// Empty where there is one way only.
    pub(crate) variant: String,
    pub(crate) placement: Placement,
    pub(crate) budget: Duration,
}

impl Cell {
    /// Measures in a process of its own.
    pub(crate) fn measure(&self) -> Option<Sample> {
        let mut child = Caller::start(self);
        // Workers may hold the pipe longer than the caller lives, so that its end says nothing.
        let output = BufReader::new(child.0.stdout.take().expect("the output is a pipe"));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let line = output.lines().map_while(Result::ok).find_map(|line| Sample::parse(&line));
            let _ = sender.send(line);
        });
        let sample = receiver.recv_timeout(PATIENCE + 10 * self.budget).ok().flatten();
        if sample.is_none() {
            eprintln!("no result: {}", self.describe());
        }
        sample
    }

    /// Does the measuring, in that process.
    pub(crate) fn run(args: &[String]) {
        process::end_with_parent();
        let cell = Self::parse(args).expect("the arguments of a cell");
        let sample = (cell.library.run)(&cell);
        println!("{sample}");
    }

    fn args(&self) -> [String; 5] {
        let budget = self.budget.as_millis().to_string();
        [self.library.name, self.workload.id, &self.variant, self.placement.id(), &budget].map(String::from)
    }

    fn parse(args: &[String]) -> Option<Self> {
        let [library, workload, variant, placement, budget] = args else { return None };
        Some(Self {
            library: peers::find(library)?,
            workload: Workload::find(workload)?,
            variant: variant.clone(),
            placement: Placement::ALL.into_iter().find(|known| known.id() == placement)?,
            budget: Duration::from_millis(budget.parse().ok()?),
        })
    }

    pub(crate) fn describe(&self) -> String {
        let variant = if self.variant.is_empty() { String::new() } else { format!(" ({})", self.variant) };
        format!("{}, {}: {}{variant}", self.workload.title, self.placement, self.library.name)
    }
}

/// How long a cell may take beside its budget.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process of a cell, ended when dropped. Its workers end with it.
struct Caller(Child);

impl Caller {
    fn start(cell: &Cell) -> Self {
        let mut command = Command::new("/proc/self/exe");
        command.arg(ROLE).args(cell.args()).stdin(Stdio::null()).stdout(Stdio::piped());
        Self(command.spawn().expect("a copy of this program starts"))
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The ways to do a workload, of a library that has the usual ones.
pub(crate) fn usual_variants(workload: &Workload) -> &'static [&'static str] {
    match workload.kind {
        Kind::InFlight { .. } => &[TASKS, ONE_TASK],
        _ => &[""],
    }
}
