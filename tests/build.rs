//! Sets `pinned_rustc` where the compiler is the one whose errors are written down in `compile_fail`.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(pinned_rustc)");
    let rustc = env::var_os("RUSTC").expect("cargo sets it for build scripts");
    let version = Command::new(rustc).arg("-V").output().map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&version).starts_with("rustc 1.95.") {
        println!("cargo::rustc-cfg=pinned_rustc");
    }
}
