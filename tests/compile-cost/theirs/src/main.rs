//! A generated program: a trait, its implementation, and calls of all methods.

include!(env!("PROGRAM"));
