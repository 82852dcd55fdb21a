//! A program with a main of its own and arguments that a worker must never see. It says what its workers answer.

use std::{env, fs, process::exit};

use rpc_parallel::Spawn;
use rpc_parallel_tests::Probe;

fn main() {
    rpc_parallel::init();
    let args: Vec<String> = env::args().skip(1).collect();
    let [command] = args.as_slice() else {
        eprintln!("usage: one command, not {args:?}");
        exit(2);
    };
    match command.as_str() {
        "plain" => {}
        // SAFETY: nothing else uses these descriptors, and a signal's default action has no precondition.
        "closed" => unsafe {
            for descriptor in 0..3 {
                libc::close(descriptor);
            }
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        },
        "renamed" => fs::rename(env::current_exe().unwrap(), "renamed").unwrap(),
        "deleted" => fs::remove_file(env::current_exe().unwrap()).unwrap(),
        "replaced" => {
            let path = env::current_exe().unwrap();
            fs::remove_file(&path).unwrap();
            fs::copy("/bin/true", path).unwrap();
        }
        other => panic!("what is {other}?"),
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(talk());
}

async fn talk() {
    let mut said = String::new();
    for round in 0..2 {
        let worker = Probe::spawn(()).await.unwrap();
        let client = worker.connect().await.unwrap();
        let args = client.args().await.unwrap();
        said += &format!("{} {} ", client.echo("answer").await.unwrap(), args.len());
        if round == 0 {
            // With the default of SIGPIPE, what is sent to a dead worker must not end this process.
            drop(worker.kill().await);
            assert!(client.echo("dead").await.is_err());
        }
    }
    // To a file, as stdout may be closed.
    fs::write("said", said).unwrap();
}
