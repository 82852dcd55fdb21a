//! `#[rpc_parallel::main]` in every form. Nobody calls these.
#![allow(dead_code)]

use std::process::ExitCode;

mod unit {
    #[rpc_parallel::main]
    async fn main() {}
}

mod result {
    #[rpc_parallel::main(flavor = "multi_thread", worker_threads = 2)]
    async fn main() -> Result<(), Box<dyn std::error::Error>> {
        let n: u32 = "5".parse()?;
        std::future::ready(n).await;
        Ok(())
    }
}

mod exit {
    use super::ExitCode;

    #[rpc_parallel::main(flavor = "current_thread")]
    async fn main() -> ExitCode {
        ExitCode::SUCCESS
    }
}

mod plain {
    #[rpc_parallel::main]
    fn main() -> Result<(), std::num::ParseIntError> {
        let _: u32 = "5".parse()?;
        Ok(())
    }
}
