//! The page for the documentation.

use std::{fmt::Write, fs, path::Path};

use crate::Growth;

/// Writes docs/growth.md and its charts.
pub(crate) fn write(all: &[Growth]) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    fs::create_dir_all(docs.join("benchmarks")).unwrap();
    let mut text = HEAD.to_owned();
    for growth in all {
        let file = format!("benchmarks/growth-{}.svg", growth.name);
        fs::write(docs.join(&file), growth.chart().svg()).unwrap();
        let _ = write!(text, "\n## {title}\n\n![{title}]({file})\n\n{}", growth.table(), title = growth.title);
    }
    fs::write(docs.join("growth.md"), text).unwrap();
}

const HEAD: &str = "\
# Growth

What one call, connection, worker or stream costs where there are many. This page is written by

    cargo bench -p rpc-parallel-tests --bench growth

Each cell is microseconds of CPU time of both ends for one of them, all processes on one CPU, which leaves out waiting and most
of what else the machine does. *Beside the first* is the cost of the most beside that of the fewest, mostly of a single one; *growth*
is the cost of the most beside the least of all others, which is stricter: 1 is flat, and less is cheaper than before.

Where there are few, a wake-up or two is part of each; where there are many, it is shared. What grows nevertheless is the memory
that each one touches: a hundred thousand tasks, or ten thousand streams, are beyond the caches. To change between hundreds of
processes costs more than between two, also for the plain `cat` that is measured beside them: each comes back to a CPU whose caches
and address translations are those of the others, and what a worker runs for a call is on more pages than what `cat` runs.

**Not flat**, then, are a call to each of hundreds of workers and one on each of a thousand connections, at once; and where a single
stream costs as little as here, one of ten thousand that are open at once can cost up to twice as much. A worker that sleeps
and is woken for a single call runs some 4,200 instructions for it, on 380 cache lines of code and 120 of data, half of which it
writes, on 74 pages (counted by hand with `valgrind --tool=lackey`); three system calls and one change of process are among them, as
few as there can be. With one worker all of that is in the caches, with a hundred of them nothing is but the code. To link a
program so that what both sides run is on 20 pages rather than 66 made the call to each of 600 workers a twentieth cheaper, so the
code is not what costs. To be flat a worker would have to touch about a third of the lines.
";
