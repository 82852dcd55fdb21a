//! The conformance scenarios, see `docs/conformance.md`.

mod examples;
mod examples_processes;
mod failures;
mod harness;
mod start;
mod support;
