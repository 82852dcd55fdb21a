//! Tasks that wait for the same thing.

use std::task::{Context, Waker};

use slab::Slab;

/// Tasks that wait for the same thing. A place belongs to whoever waits and is given back by them, so that one who
/// asks often, or gives up, leaves nothing behind.
#[derive(Debug, Default)]
pub(super) struct Wakers(Slab<Option<Waker>>);

impl Wakers {
    /// Wakes the task of `cx` the next time; `place` is kept by whoever waits.
    pub(super) fn wait(&mut self, place: &mut Option<usize>, cx: &Context<'_>) {
        match place.and_then(|place| self.0.get_mut(place)) {
            Some(Some(waker)) => waker.clone_from(cx.waker()),
            Some(empty) => *empty = Some(cx.waker().clone()),
            None => *place = Some(self.0.insert(Some(cx.waker().clone()))),
        }
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, place: &mut Option<usize>) {
        if let Some(place) = place.take() {
            self.0.try_remove(place);
        }
    }

    /// Takes all who wait now.
    pub(super) fn take(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.0.iter_mut().filter_map(|(_, waker)| waker.take()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_often_waits_once_and_who_leaves_leaves_nothing() {
        let (mut wakers, mut place, mut other, mut woken) = (Wakers::default(), None, None, Vec::new());
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            for _ in 0..3 {
                wakers.wait(&mut place, &cx);
            }
            wakers.wait(&mut other, &cx);
            wakers.take(&mut woken);
            wakers.take(&mut woken);
        }
        assert_eq!(woken.len(), 6);
        wakers.leave(&mut place);
        wakers.leave(&mut place);
        wakers.leave(&mut other);
        assert!(wakers.0.is_empty());
    }
}
