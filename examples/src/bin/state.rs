//! A first value and its updates, in one call.
//!
//! ```text
//! cargo run --bin state
//! ```
//!
//! The value and the stream belong together: no update between the two can be missed or seen twice.

use std::{convert::Infallible, error::Error};

use futures_util::{Stream, TryStreamExt, stream};
use rpc_parallel::{Init, Spawn, WorkerContext};

/// Spells the alphabet.
#[rpc_parallel::worker]
pub trait Letters {
    /// A text, and the letters that are to be added to it.
    async fn text_and_updates(&self, count: usize) -> Result<(String, impl Stream<Item = char>), TooMany>;
}

/// More letters were asked for than there are.
#[derive(Debug, serde::Deserialize, serde::Serialize, thiserror::Error)]
#[error("there are only {0} letters")]
pub struct TooMany(usize);

struct Alphabet;

impl Init for Alphabet {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _cx: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[rpc_parallel::worker]
impl Letters for Alphabet {
    async fn text_and_updates(&self, count: usize) -> Result<(String, impl Stream<Item = char>), TooMany> {
        let letters = 'a'..='z';
        let available = letters.clone().count();
        if count > available {
            return Err(TooMany(available));
        }
        Ok(("hello world ".to_owned(), stream::iter(letters.take(count))))
    }
}

#[rpc_parallel::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let alphabet = Alphabet::spawn(()).connect().await?;
    let (mut text, updates) = alphabet.text_and_updates(10).await?;
    text.extend(updates.try_collect::<Vec<char>>().await?);
    println!("{text}");

    // The method's own error is one of the errors of a call.
    if let Err(error) = alphabet.text_and_updates(27).await {
        println!("{error}");
    }
    Ok(())
}
