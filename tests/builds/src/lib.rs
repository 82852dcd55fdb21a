//! Six implementations of one trait, in modules of their own, so that they land in several object files.

use std::convert::Infallible;

use rpc_parallel::{Init, Spawn, WorkerContext};

/// Says which worker it is.
#[rpc_parallel::worker]
pub trait Named {
    async fn name(&self) -> String;
}

macro_rules! named {
    ($($module:ident)*) => {$(
        pub mod $module {
            use super::*;

            pub struct It;

            impl Init for It {
                type Arg = ();
                type Error = Infallible;

                async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
                    Ok(Self)
                }
            }

            #[rpc_parallel::worker]
            impl Named for It {
                async fn name(&self) -> String {
                    stringify!($module).to_owned()
                }
            }
        }
    )*};
}

named!(one two three four five six);

/// Spawns all six and says how many answered.
pub async fn spawn_all() -> Result<String, rpc_parallel::SpawnError> {
    let mut answers = 0;
    macro_rules! ask {
        ($($module:ident)*) => {$(
            let worker = $module::It::spawn::<NamedClient>(()).await?;
            let client = worker.connect().await?;
            answers += u32::from(client.name().await.is_ok_and(|name| name == stringify!($module)));
        )*};
    }
    ask!(one two three four five six);
    Ok(format!("{answers} of 6"))
}

/// Says how spawning one went, for a host program.
#[unsafe(no_mangle)]
pub extern "C" fn spawn_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(spawn_all()) {
        Ok(said) => println!("{said}"),
        Err(error) => println!("{error}"),
    }
}
