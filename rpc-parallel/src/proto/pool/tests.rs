//! Buffers kept, given back, and let go.

use super::*;

fn filled(size: usize) -> Bytes {
    Bytes::from(vec![1; size])
}

#[test]
fn what_was_given_is_taken_without_a_copy() {
    let (mut pool, now) = (Pool::default(), Instant::now());
    let bytes = filled(1 << 20);
    let place = bytes.as_ptr();
    pool.give(bytes, now);
    assert!(pool.take((1 << 20) + 1).is_none(), "it is too small");
    assert!(pool.take((1 << 19) - 1).is_none(), "it is more than twice as large");
    let buffer = pool.take(1 << 20).expect("it fits");
    assert_eq!((buffer.as_ptr(), buffer.len()), (place, 0));
    assert!(pool.take(1 << 20).is_none());
}

#[test]
fn what_is_still_looked_at_is_not_kept() {
    let (mut pool, now) = (Pool::default(), Instant::now());
    let bytes = filled(1 << 20);
    pool.give(bytes.clone(), now);
    assert_eq!(pool.bytes(), 0);
    assert!(pool.take_foreign().iter().eq([&bytes]));
    // Nor is what is small; a slice counts with all that it keeps alive.
    pool.give(filled(1000), now);
    assert_eq!(pool.bytes(), 0);
    let slice = bytes.slice((1 << 20) - SMALLEST..);
    drop(bytes);
    pool.give(slice, now);
    assert_eq!(pool.bytes(), 1 << 20);
    assert!(!pool.has_foreign());
}

#[test]
fn it_is_bounded() {
    let (mut pool, now) = (Pool::default(), Instant::now());
    for size in 1..100 {
        pool.give(filled(size << 18), now);
        assert!(pool.bytes() <= BYTES.max(size << 18), "{} bytes after {size}", pool.bytes());
        assert!(pool.buffers.len() <= COUNT);
    }
}

#[test]
fn what_nobody_uses_is_let_go() {
    let (mut pool, start) = (Pool::default(), Instant::now());
    pool.give(filled(1 << 20), start);
    let mut due = pool.due().expect("there is a buffer");
    pool.expire(due);
    assert!(pool.bytes() > 0, "it came since the last look");
    due = pool.due().expect("there is a buffer");
    pool.expire(due);
    assert_eq!((pool.bytes(), pool.due()), (0, None));
    assert_eq!(due, start + 2 * IDLE);
}
