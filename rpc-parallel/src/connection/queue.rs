//! Tasks that wait for their turn.

use std::{
    collections::BTreeMap,
    task::{Context, Waker},
};

/// Tasks that wait for their turn, first come, first served. A place belongs to whoever waits and is given back by them.
///
/// Only those are woken whose turn has come: if all were, and but a few could go on, each turn would cost as much as there
/// are tasks.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By their number in the order of arrival: a waker, and how much of what all wait for this one needs.
    waiting: BTreeMap<u64, (Waker, usize)>,
    last: u64,
}

impl Queue {
    /// Wakes the task of `cx` when its turn has come. Who was woken in vain is as far in front as before.
    pub(super) fn wait(&mut self, place: &mut Option<u64>, need: usize, cx: &Context<'_>) {
        let place = *place.get_or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.waiting
            .entry(place)
            .and_modify(|(waker, _)| waker.clone_from(cx.waker()))
            .or_insert_with(|| (cx.waker().clone(), need));
    }

    /// Wakes the task of `cx` when the turn of this number has come, which nobody else uses.
    pub(super) fn wait_at(&mut self, at: u64, place: &mut Option<u64>, cx: &Context<'_>) {
        *place = Some(at);
        self.wait(place, 0, cx);
    }

    /// Gives a place back. Returns whether its task was woken: the turn goes to another if it was not used.
    pub(super) fn leave(&mut self, place: &mut Option<u64>) -> bool {
        place.take().is_some_and(|place| self.waiting.remove(&place).is_none())
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes those in front, up to the first for whose number and need it is not yet time.
    pub(super) fn take_while(&mut self, wakers: &mut Vec<Waker>, mut its_turn: impl FnMut(u64, usize) -> bool) {
        while let Some(first) = self.waiting.first_entry()
            && its_turn(*first.key(), first.get().1)
        {
            wakers.push(first.remove().0);
        }
    }

    /// Takes all.
    pub(super) fn take(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(std::mem::take(&mut self.waiting).into_values().map(|(waker, _)| waker));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_are_woken_whose_turn_has_come() {
        let (mut queue, mut places, mut woken) = (Queue::default(), [None; 5], Vec::new());
        let cx = Context::from_waker(Waker::noop());
        for (need, place) in places.iter_mut().enumerate() {
            queue.wait(place, need, &cx);
            // Who asks often waits once.
            queue.wait(place, need, &cx);
        }
        let mut room = 3;
        queue.take_while(&mut woken, |_, need| {
            let fits = need <= room;
            room -= if fits { need } else { 0 };
            fits
        });
        // The needs 0, 1 and 2; the next one needs 3.
        assert_eq!(woken.len(), 3);
        // Woken in vain: again in front of those who came later.
        queue.wait(&mut places[1], 1, &cx);
        let mut seen = None;
        queue.take_while(&mut woken, |_, need| {
            seen = Some(need);
            false
        });
        assert_eq!(seen, Some(1));
        assert!(queue.leave(&mut places[0]) && !queue.leave(&mut places[1]) && !queue.leave(&mut places[4]));
        assert!(!queue.leave(&mut places[4]), "it has no place any more");
        queue.take(&mut woken);
        assert_eq!((woken.len(), queue.is_empty()), (4, true));
    }

    #[test]
    fn a_number_of_ones_own_is_a_place() {
        let (mut queue, mut early, mut late, mut woken) = (Queue::default(), None, None, Vec::new());
        let cx = Context::from_waker(Waker::noop());
        queue.wait_at(200, &mut late, &cx);
        queue.wait_at(100, &mut early, &cx);
        queue.take_while(&mut woken, |at, _| at <= 150);
        assert_eq!(woken.len(), 1);
        assert!(queue.leave(&mut early) && !queue.leave(&mut late) && queue.is_empty());
    }
}
