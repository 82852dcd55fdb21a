//! Tests of whole sessions: two of them over a link that splits bytes as it likes, and one against a peer that writes
//! what it likes. Time is virtual.

mod app;
mod calls;
mod graceful;
mod handshake;
mod heartbeats;
mod hostile;
mod lane;
mod mock;
mod mutations;
mod one_way;
mod operations;
mod pair;
mod run;
mod sizes;
mod streams;
