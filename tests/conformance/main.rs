//! The conformance scenarios, see `docs/conformance.md`.

mod examples;
