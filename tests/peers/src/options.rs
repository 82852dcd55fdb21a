//! The command line.

use std::{path::PathBuf, time::Duration};

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// A part of the titles of workloads, or of their ids.
    pub(crate) only: String,
    /// How long one measurement is.
    pub(crate) budget: Duration,
    /// Where `benchmarks.md` and its plots are written to.
    pub(crate) out: Option<PathBuf>,
}

pub(crate) const USAGE: &str = "\
usage: rpc-parallel-peers [--rounds N] [--only TEXT] [--quick] [--out DIR]

  --rounds N   how often everything is measured, one after the other (5)
  --only TEXT  the workloads whose name contains this
  --quick      one short round, to see that it works
  --out DIR    where benchmarks.md and benchmarks/*.svg go. A full run writes them to docs/, any other one nowhere";

impl Options {
    /// Reads the arguments. Nothing: they are wrong.
    pub(crate) fn parse(args: &[String]) -> Option<Self> {
        let mut options = Self { rounds: 5, only: String::new(), budget: Duration::from_millis(400), out: None };
        let mut quick = false;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--rounds" => options.rounds = args.next()?.parse().ok().filter(|&rounds| rounds > 0)?,
                "--only" => options.only.clone_from(args.next()?),
                "--out" => options.out = Some(args.next()?.into()),
                "--quick" => quick = true,
                _ => return None,
            }
        }
        if quick {
            options.rounds = 1;
            options.budget = Duration::from_millis(20);
        } else if options.only.is_empty() && options.out.is_none() {
            options.out = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs").into());
        }
        Some(options)
    }
}
