//! Random numbers that a seed repeats.

use std::time::{Duration, SystemTime};

/// A generator (splitmix64): not for secrets, but the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From the variable `RPC_PARALLEL_FAULT_SEED`, or from the time. Prints the seed, so that a failure can be repeated.
    ///
    /// # Panics
    ///
    /// If the variable is no number.
    pub fn from_env(test: &str) -> Self {
        let seed = match std::env::var("RPC_PARALLEL_FAULT_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() as u64,
        };
        println!("{test}: RPC_PARALLEL_FAULT_SEED={seed}");
        Self(seed)
    }

    /// Another generator, which this one and the number determine.
    pub fn fork(&self, number: u64) -> Self {
        let mut fork = Self(self.0 ^ number.wrapping_mul(0xA24B_AED4_963E_E407));
        fork.next();
        fork
    }

    /// Any number.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A time from zero to this.
    pub fn up_to(&mut self, limit: Duration) -> Duration {
        Duration::from_nanos(self.next() % (limit.as_nanos() as u64 + 1))
    }
}
