//! The command line.

use std::{ffi::OsString, num::NonZero, thread};

pub(crate) const USAGE: &str = "\
usage: checksum [--workers N] [--] PATH...

Prints the SHA-256 of every regular file at or below the PATHs, sorted by name, as sha256sum does.
Symbolic links are not followed.

  --workers N   how many processes compute (default: one for each core)
  --help        this text

Exit status: 0 if all went well, 1 if anything could not be read, 2 if the arguments are wrong.
";

/// What to sum, and with how many processes.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) workers: usize,
    pub(crate) paths: Vec<OsString>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Sum(Job),
}

pub(crate) fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut workers = None;
    let mut paths = Vec::new();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--") => paths.extend(args.by_ref()),
            Some("--workers") => {
                let count = args.next().ok_or("--workers needs a number")?;
                workers = Some(number(&count.to_string_lossy())?);
            }
            Some(option) if option.starts_with("--workers=") => {
                workers = Some(number(option.trim_start_matches("--workers="))?);
            }
            Some(option) if option.starts_with('-') && option != "-" => {
                return Err(format!("unknown option {option:?}; a PATH that begins with a dash goes after --"));
            }
            _ => paths.push(arg),
        }
    }
    if paths.is_empty() {
        return Err("no PATH given".to_owned());
    }
    let workers = workers.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), NonZero::get);
    Ok(Command::Sum(Job { workers, paths }))
}

fn number(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| format!("--workers takes a number from 1 on, not {text:?}"))
}
