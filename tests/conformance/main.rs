//! The conformance scenarios, see `docs/conformance.md`.

mod bytes;
mod calls;
mod closing;
mod connections;
mod examples;
mod examples_processes;
mod failures;
mod functions;
mod harness;
mod lifetime;
mod others;
mod robust;
mod runs;
mod sizes;
mod start;
mod streams;
mod support;
mod table;
mod written;
