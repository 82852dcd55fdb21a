//! Each example prints what it should and leaves nothing behind.

mod common;

use std::collections::HashMap;

use common::run;

#[test]
fn sum() {
    let ended = run(env!("CARGO_BIN_EXE_sum"), &[]);
    assert_eq!(ended.text(), "sum(42) = 861\nsum(10) = 45\nproduct(10) = 3628800\n");
}

#[test]
fn serve() {
    assert_eq!(run(env!("CARGO_BIN_EXE_serve"), &[]).text(), "Success.\n");
}

#[test]
fn stream() {
    let ended = run(env!("CARGO_BIN_EXE_stream"), &["10", "1"]);
    let sums = [0, 1, 3, 6, 10, 15, 21, 28, 36, 45].map(|sum| format!("Sum_worker.sum: {sum}\n"));
    assert_eq!(ended.text(), sums.concat() + "Closed\n");
}

#[test]
fn abort() {
    let ended = run(env!("CARGO_BIN_EXE_abort"), &[]);
    let rounds: String = (0..5).map(|n| format!("Ping: {n}\nPong: {n}\n")).collect();
    assert_eq!(ended.text(), rounds + "Worker reports pongs closed\n");
}

#[test]
fn upload() {
    let ended = run(env!("CARGO_BIN_EXE_upload"), &[]);
    let round: String =
        (0..10).map(|i| format!("100 lines: worker {i} got {i}:{} .. worker {i} got {i}:{i}\n", 990 + i)).collect();
    assert_eq!(ended.text(), round.repeat(2));
}

#[test]
fn state() {
    let ended = run(env!("CARGO_BIN_EXE_state"), &[]);
    assert_eq!(ended.text(), "hello world abcdefghij\nthere are only 26 letters\n");
}

#[test]
fn workers_as_masters() {
    let ended = run(env!("CARGO_BIN_EXE_workers_as_masters"), &["--primary", "3", "--secondary", "2"]);
    let lines = (0..6).map(|n| format!("Primary worker #{}: Secondary worker #{}: pong\n", n / 2, n % 2));
    assert_eq!(ended.text(), lines.collect::<String>());

    let ended = run(env!("CARGO_BIN_EXE_workers_as_masters"), &["--primary"]);
    assert_eq!(ended.status.code(), Some(2));
    assert_eq!(ended.stderr, "usage: workers_as_masters [--primary P] [--secondary S]\n");
}

#[test]
fn pass_the_handle() {
    let ended = run(env!("CARGO_BIN_EXE_pass_the_handle"), &[]);
    let mut counts: HashMap<&str, Vec<u32>> = HashMap::new();
    for line in ended.text().lines() {
        let (source, count) = line.strip_prefix("worker pinged from ").unwrap().split_once(": ").unwrap();
        counts.entry(source).or_default().push(count.parse().unwrap());
    }
    assert!(counts.values().all(|counts| counts.len() == 10 && counts.is_sorted()), "{counts:?}");
    let mut all = [counts.remove("master").unwrap(), counts.remove("dispatcher").unwrap()].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(1..=20));
}

#[test]
fn stream_workers() {
    assert_eq!(run(env!("CARGO_BIN_EXE_stream_workers"), &["3", "40"]).text(), "Ok.\n");
}
