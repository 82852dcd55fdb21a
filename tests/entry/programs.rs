//! Programs with a main of every kind.

use std::{
    fs, io,
    process::{Command, Output, Stdio},
};

fn run(program: &str) -> Output {
    Command::new(program).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_main_that_returns_a_result() {
    let output = run(env!("CARGO_BIN_EXE_rpc-parallel-entry-result"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "result\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("an error of main"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_main_that_returns_a_code() {
    let output = run(env!("CARGO_BIN_EXE_rpc-parallel-entry-code"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "code\n");
    assert_eq!(output.status.code(), Some(7));
}

/// A worker that ran `main` would find its arguments wrong, and exit with 2.
#[test]
fn a_main_with_arguments_and_a_file_that_changes() {
    for command in ["plain", "closed", "renamed", "deleted", "replaced"] {
        // A copy of its own, which it renames, deletes or replaces.
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("cli");
        fs::copy(env!("CARGO_BIN_EXE_rpc-parallel-entry-cli"), &program).unwrap();
        let mut start = Command::new(&program);
        start.arg(command).current_dir(&directory).stdin(Stdio::null());
        let output = loop {
            match start.output() {
                // A child that another test starts at this moment holds the copy open for writing until it has its image.
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                output => break output.unwrap(),
            }
        };
        assert!(output.status.success(), "{command}: {output:?}");
        let said = fs::read_to_string(directory.path().join("said")).unwrap();
        // Twice the answer and the number of arguments: the program's name and the three that name it in `ps`.
        assert_eq!(said, "answer 4 answer 4 ", "{command}");
    }
}
