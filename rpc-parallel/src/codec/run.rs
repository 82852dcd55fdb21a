//! Small items, which are handled many at a time.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use serde::de::DeserializeOwned;

use super::item::{decode_others, decode_row};
use crate::{panic, wire::Items};

/// So many items at most are collected before they are written, or read before they are asked for.
pub(crate) const RUN: usize = 64;

/// Bytes.
const CACHE_LINE: usize = 64;

/// Whether items are small and own nothing, so that it costs less to put some aside than to call, for each of them, what
/// knows how they are written and read. With a cache line each that is a quarter less, with two nothing.
pub(crate) const fn is_plain<T>() -> bool {
    !mem::needs_drop::<T>() && size_of::<T>() <= CACHE_LINE
}

/// Items that were read before they are asked for, the next one last.
///
/// Nobody ever locks it: it is there so that what holds it can be shared whatever the items are.
pub(crate) struct Run<T>(Mutex<Vec<T>>);

impl<T> Run<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    #[inline]
    fn items(&mut self) -> &mut Vec<T> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<T> {
        if const { is_plain::<T>() } { self.items().pop() } else { None }
    }
}

impl<T: DeserializeOwned + 'static> Run<T> {
    /// Reads items from `at` on, of which there are none left here. It ends before one that cannot be read, which is told
    /// when that is asked for; `at` moves behind what was read.
    #[inline]
    pub(crate) fn fill(&mut self, items: &Items, at: &mut usize) {
        if const { is_plain::<T>() } && *at < items.bytes.len() {
            self.read(items, at);
        }
    }

    #[inline(never)]
    fn read(&mut self, items: &Items, at: &mut usize) {
        let run = self.items();
        // A panic comes when its item is asked for, and not before those in front of it: then it is read again.
        let bytes = items.bytes.get(*at..).unwrap_or_default();
        match items.size as usize {
            0 => panic::put_off(|| decode_others(bytes, at, run)),
            size => {
                panic::put_off(|| decode_row(bytes, size, run));
                *at += run.len() * size;
            }
        }
        run.reverse();
    }
}

/// No item is pinned.
impl<T> Unpin for Run<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::push_item;

    /// What is read of these items at once, and where that ends.
    fn filled(items: &Items) -> (Vec<bool>, usize) {
        let (mut run, mut at) = (Run::new(), 0);
        run.fill(items, &mut at);
        (std::iter::from_fn(|| run.next()).collect(), at)
    }

    #[test]
    fn a_run_ends_before_what_is_no_item() {
        let items = [&[1, 0, 1, 1][..], &[2], &[1; 200]].concat();
        let mut others = Vec::new();
        items.iter().for_each(|item| push_item(&mut others, &[*item]));
        let (row, others) = (Items { size: 1, bytes: items.into() }, Items { size: 0, bytes: others.into() });
        let expected = vec![true, false, true, true];
        assert_eq!(filled(&row), (expected.clone(), 4));
        assert_eq!(filled(&others), (expected, 8));
        let rest = |items: &Items, at| Items { size: items.size, bytes: items.bytes.slice(at..) };
        assert_eq!(filled(&rest(&row, 4)), (vec![], 0));
        assert_eq!(filled(&rest(&row, 5)), (vec![true; RUN], RUN));
        assert_eq!(filled(&rest(&others, 10)), (vec![true; RUN], 2 * RUN));
        assert_eq!(filled(&rest(&row, 203)), (vec![true; 2], 2));
        assert_eq!(filled(&rest(&others, 406)), (vec![true; 2], 4));
    }

    #[test]
    fn an_item_of_another_size_than_it_says_is_none() {
        assert_eq!(filled(&Items { size: 2, bytes: vec![1, 1].into() }), (vec![], 0));
        assert_eq!(filled(&Items { size: 0, bytes: vec![1, 1, 2, 1, 1].into() }), (vec![true], 2));
        assert_eq!(filled(&Items { size: 0, bytes: vec![1, 1, 0, 1, 1].into() }), (vec![true], 2));
    }
}
