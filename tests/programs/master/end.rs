//! The ways in which a master ends.

use std::{future::pending, process::exit};

use rpc_parallel::Spawn;

use crate::{
    limb::{Branch, LimbClient, Start},
    say,
};

pub(crate) async fn end(how: &str) {
    // Whoever runs the tests in the background may have them ignored, and that is inherited.
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the default action of a signal has no precondition.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let idle = Branch::spawn::<LimbClient>(Start::Ready).name("idle").await.unwrap();
    let busy = Branch::spawn::<LimbClient>(Start::Ready).name("busy").await.unwrap();
    let client = busy.connect().await.unwrap();
    client.ignore_term().await.unwrap();
    client.start_program().await.unwrap();
    // Held to the end, so that it is the process and not the connection that ends.
    let blocked = client.block().start();
    say(&format!("ready {} {}", idle.pid(), busy.pid()));
    match how {
        "return" => {}
        "panic" => panic!("on purpose"),
        "exit" => exit(3),
        "abort" => std::process::abort(),
        "signal" => pending().await,
        "forget" => {
            std::mem::forget((idle, busy, client, blocked));
            return;
        }
        _ => panic!("how is {how}?"),
    }
    drop(blocked);
}
