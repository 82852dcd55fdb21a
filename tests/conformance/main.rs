//! The conformance scenarios, see `docs/conformance.md`.

mod connections;
mod examples;
mod examples_processes;
mod failures;
mod functions;
mod harness;
mod lifetime;
mod start;
mod support;
