//! Failures of the other side, as data.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use crate::wire::cut_text;

/// Any error, made fit to travel: its message and those of its sources.
///
/// `?` turns every [`std::error::Error`] into a `Fault`, so a worker method that may fail in many ways returns
/// `Result<T, Fault>`. Like `anyhow::Error` it therefore is no `std::error::Error` itself.
///
/// ```
/// fn parse(text: &str) -> Result<u32, rpc_parallel::Fault> {
///     Ok(text.trim().parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().message(), "invalid digit found in string");
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    message: String,
    sources: Vec<String>,
}

impl Fault {
    /// A fault with this message and no source.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), sources: Vec::new() }
    }

    /// The beginning of the message, without the sources: what is left where all of it would be too long.
    pub(crate) fn cut(&self, limit: usize) -> Self {
        Self::new(format!("{}..", cut_text(&self.to_string(), limit)))
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The messages of the error's sources, the nearest first.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for source in &self.sources {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl<E: Error> From<E> for Fault {
    fn from(error: E) -> Self {
        let mut sources = Vec::new();
        let mut next = error.source();
        while let Some(source) = next {
            sources.push(source.to_string());
            next = source.source();
        }
        Self { message: error.to_string(), sources }
    }
}

/// What a `Fault` becomes where `?` leads to a `Box<dyn Error>`, as in many a `main`.
#[derive(Debug)]
struct Boxed(Fault);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Boxed {}

impl From<Fault> for Box<dyn Error + Send + Sync> {
    fn from(fault: Fault) -> Self {
        Box::new(Boxed(fault))
    }
}

impl From<Fault> for Box<dyn Error> {
    fn from(fault: Fault) -> Self {
        Box::new(Boxed(fault))
    }
}

/// A panic of a handler, as its caller sees it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PanicReport {
    /// The panic's message.
    pub message: String,
    /// Where it happened, as `file:line:column`, where that is known.
    pub location: Option<String>,
}

impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(f, "panicked at {location}: {}", self.message),
            None => write!(f, "panicked: {}", self.message),
        }
    }
}
