//! What calls cost in units that noise hardly touches: system calls, allocations, bytes, instructions.
//!
//! Each count is the difference of two runs of `rpc-parallel-counts` with n and with 2 n units, both processes on one CPU,
//! divided by n: start and end are not in it. No two runs are quite the same, so the least of several of each length counts.
//! `.ci/counts` shows every count beside its bound.

mod bounds;
mod program;
mod tool;

use bounds::{BOUNDS, Bound, Measure};

#[test]
fn system_calls_per_unit() {
    if tool::is_there("strace", &["-qq", "-o", "/dev/null"]) {
        let mut check = Check::default();
        check.all(Measure::SystemCalls, program::system_calls);
        check.finish();
    }
}

#[test]
fn allocations_and_bytes_per_unit() {
    let mut check = Check::default();
    check.all(Measure::CallerAllocations, |workload| program::reported(workload, "allocations-caller"));
    check.all(Measure::WorkerAllocations, |workload| program::reported(workload, "allocations-worker"));
    check.all(Measure::Bytes, |workload| program::reported(workload, "bytes"));
    check.finish();
}

#[test]
#[cfg_attr(debug_assertions, ignore = "the instructions of a program that is not optimised say nothing: .ci/counts")]
fn instructions_per_unit() {
    if tool::is_there("valgrind", &["-q", "--tool=callgrind", "--callgrind-out-file=/dev/null"]) {
        let mut check = Check::default();
        check.all(Measure::CallerInstructions, |workload| program::instructions(workload).caller);
        check.all(Measure::WorkerInstructions, |workload| program::instructions(workload).worker);
        check.finish();
    }
}

/// Shows every count beside its bound, and fails in the end if one was broken.
#[derive(Default)]
struct Check {
    broken: Vec<String>,
}

impl Check {
    /// Counts for every bound of this kind.
    fn all(&mut self, measure: Measure, count: impl Fn(&str) -> f64) {
        for bound in BOUNDS.iter().filter(|bound| bound.measure == measure) {
            let Bound { workload, at_most, unless, .. } = bound;
            let mut actual = count(workload);
            // On a busy machine two sides that run by turns meet more often than they need to, and a task that is moved to
            // another thread takes its call's memory along. That only ever adds to what a run costs, to the longer one or, so that
            // nothing seems to be left for a unit, to the shorter one: what cannot be so is counted again.
            let is_possible = |actual: f64| actual > 0.0 || measure.can_be_zero();
            for _ in 0..if measure.depends_on_turns() { 2 } else { 0 } {
                if actual > *at_most || !is_possible(actual) {
                    let again = count(workload);
                    if !is_possible(actual) || is_possible(again) && again < actual {
                        actual = again;
                    }
                }
            }
            println!("{workload:14} {measure:22} {actual:12.2}  at most {at_most}");
            if actual > *at_most {
                self.broken.push(format!("{workload}: {actual:.2} {measure}; more than {at_most} means: {unless}"));
            }
            // A count of nothing is a broken count, except of what can be avoided altogether.
            assert!(is_possible(actual), "{workload}: {actual} {measure} cannot be");
        }
    }

    fn finish(self) {
        assert!(self.broken.is_empty(), "{:#?}", self.broken);
    }
}
