//! A child becomes a worker, and nothing else, wherever it is started from: in tests of every kind, in programs with a main
//! of every kind, and in programs whose file is no longer there.

mod programs;
mod refusals;
mod tests;
