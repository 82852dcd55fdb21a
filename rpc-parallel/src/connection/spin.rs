//! Looking for the next bytes for a moment before going to sleep.
//!
//! With a CPU for each side, most of a call's time is the waking of the other side, twice. A side that looks again and again
//! instead gets the bytes as soon as they are there, and spends less CPU time on it than sleeping and waking would. That is
//! so only while somebody else is at work for us: hence all the conditions, and the score.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use crate::{
    connection::core::{Core, Shared},
    cpus, power,
};

/// Whether looking has been worth it on one connection: what fails is tried ever more rarely.
#[derive(Debug)]
pub(super) struct Score {
    /// How long to look at most.
    limit: Duration,
    level: usize,
    /// How many chances are let go before the next try.
    skip: u32,
    /// When the last try began, if it was in vain and nothing has come since.
    missed: Option<Instant>,
    /// Who was yielded to last has run for a while: it may be the peer, on this very CPU.
    shares_cpu: bool,
}

/// How many chances a level lets go. At the highest, looking in vain costs next to nothing.
const SKIPS: [u32; 6] = [0, 3, 15, 63, 255, 1023];

/// The highest level for tries that failed only because the other side had to be woken: as soon as both sides try at the
/// same time, neither has to.
const NEAR: usize = 2;

/// What comes within so many limits was near.
const NEAR_LIMITS: u32 = 4;

/// Connections of this process that live.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Connections of this process whose calls wait for replies.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// One of the connections that live.
#[derive(Debug)]
pub(super) struct Living(());

impl Living {
    pub(super) fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of the connections whose calls wait for replies.
#[derive(Debug)]
pub(super) struct Expecting(());

impl Expecting {
    fn new() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Expecting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Score {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, level: 0, skip: 0, missed: None, shares_cpu: false }
    }

    /// Whether this chance is one to be tried.
    pub(super) fn is_due(&mut self) -> bool {
        if self.limit.is_zero() || !has_cpu_for_each() {
            return false;
        }
        let due = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        due
    }

    /// How a try went that began then.
    fn note(&mut self, hit: bool, start: Instant, now: Instant) {
        let took = now.duration_since(start);
        if took > 2 * self.limit {
            // Somebody else needs the CPU: what is yielded comes back late, whatever has come meanwhile. Who sleeps instead
            // gets it as soon as there is something to do.
            self.raise(3);
        } else if hit {
            self.level = self.level.saturating_sub(1);
            self.skip = 0;
        } else {
            self.raise(usize::from(self.level < NEAR));
            self.missed = Some(start);
        }
    }

    /// There is no power to spare for it now: the next try is far away.
    fn give_up(&mut self) {
        self.raise(SKIPS.len());
    }

    /// Something has come without being looked for, or too late.
    #[inline]
    pub(super) fn received(&mut self, now: Instant) {
        if let Some(start) = self.missed.take()
            && now.duration_since(start) > NEAR_LIMITS * self.limit
        {
            self.raise(1);
        }
    }

    fn raise(&mut self, by: usize) {
        self.level = (self.level + by).min(SKIPS.len() - 1);
        self.skip = SKIPS[self.level];
    }
}

/// A look takes longer than this if the yield before it let somebody else run, such as the peer.
const SHARED_CPU: Duration = Duration::from_micros(3);

/// Looks at memory before the CPU is offered to others: some microseconds.
const LOOKS_PER_YIELD: u32 = 8;

/// Whether this machine has a CPU for this process beside one for every process that it is connected to. Which of them a
/// process is bound to, and whether they are busy, shows in the score.
fn has_cpu_for_each() -> bool {
    LIVE.load(Ordering::Relaxed) < cpus::online()
}

/// What a side may look for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chance {
    /// Replies, or what else calls under way bring.
    Reply,
    /// The next call, when the last one was just answered.
    Call,
}

impl Core {
    /// Keeps count of whether this connection's calls wait for replies.
    #[inline]
    pub(super) fn count_calls(&mut self) {
        let waits = self.session.has_local_calls();
        if waits != self.expecting.is_some() {
            self.note_expecting(waits);
        }
    }

    #[inline(never)]
    fn note_expecting(&mut self, waits: bool) {
        self.expecting = waits.then(Expecting::new);
    }

    /// Whether it is worth a try to look for the reply of the call that was just written.
    #[inline]
    pub(super) fn may_spin(&mut self) -> bool {
        self.goes_on(Chance::Reply) && self.score.is_due()
    }

    /// What the driver may look for, once it has nothing else to do. It has just `served` calls, or `written` something.
    pub(super) fn chance(&mut self, served: bool, written: bool) -> Option<Chance> {
        if std::mem::take(&mut self.spin_wanted) && self.goes_on(Chance::Reply) {
            return Some(Chance::Reply);
        }
        let chances = [(written, Chance::Reply), (served, Chance::Call)];
        let chance = chances.into_iter().find(|(may, chance)| *may && self.goes_on(*chance));
        chance.filter(|_| self.score.is_due()).map(|(_, chance)| chance)
    }

    /// Whether there is still nothing else to do, for this connection and for the calls of the others.
    #[inline]
    fn goes_on(&self, chance: Chance) -> bool {
        let idle = !self.driving && !self.blocked && !self.woken && !self.session.transmit();
        idle && !self.session.is_closing()
            && match chance {
                Chance::Reply => self.session.has_local_calls() && WAITING.load(Ordering::Relaxed) == 1,
                Chance::Call => self.session.open_calls() == 0 && WAITING.load(Ordering::Relaxed) == 0,
            }
    }
}

impl Shared {
    /// Has somebody look for the reply of the call that was just written, once all others who are ready have had their
    /// turn: they may have calls to make. Returns whether that is the calling task itself, which then is polled again.
    pub(super) fn arrange_spin(&self, core: &mut Core, cx: &Context<'_>) -> bool {
        if tokio::task::try_id().is_some() {
            // A task that wakes itself would have another thread of its runtime come and take it over.
            core.spin_wanted = true;
            self.driver.wake();
            return false;
        }
        // The driver may have to be woken on another thread, and to wake this one.
        cx.waker().wake_by_ref();
        true
    }

    /// Looks for the reply of the only call under way, and hands it over.
    pub(super) fn spin_for_reply(&self) {
        if !self.spin(Chance::Reply, false) {
            return;
        }
        let mut wakers = Vec::new();
        let mut guard = self.lock();
        let core = &mut *guard;
        core.last_replies = core.take_replies(&mut wakers);
        core.count_calls();
        // Whatever else came is the driver's business.
        if core.session.has_input() || core.way.end_looking() {
            self.driver.wake();
        }
        drop(guard);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Looks for bytes as long as there is nothing else to do, and at most as long as the settings allow. Returns whether
    /// there are some in the session now; if so, the peer does not say so when there are more, before the driver has looked.
    ///
    /// With `polled` another thread waits at the poller meanwhile, and is woken by what we look for: that is worth it only
    /// if the peer has a CPU of its own. Nobody is woken by what comes through memory while somebody looks.
    pub(super) fn spin(&self, chance: Chance, polled: bool) -> bool {
        let start = Instant::now();
        if power::on_battery(start) {
            self.lock().score.give_up();
            return false;
        }
        let found = self.look(chance, polled, start);
        if !found && self.lock().way.end_looking() {
            self.driver.wake();
        }
        found
    }

    fn look(&self, chance: Chance, polled: bool, start: Instant) -> bool {
        let mut looks = 0;
        loop {
            looks += 1;
            let mut guard = self.lock();
            let core = &mut *guard;
            if !core.goes_on(chance) {
                return false;
            }
            core.way.begin_looking();
            if core.way.is_memory() && !core.score.shares_cpu {
                core.way.linger();
            }
            let buffer = core.session.input_buffer();
            let received = core.way.look(&self.socket, buffer);
            let now = Instant::now();
            match received {
                Poll::Ready(Ok(read)) if read > 0 => {
                    core.session.handle_received(now, read);
                    let woken = polled && !core.way.is_memory();
                    let shared = woken && now.duration_since(start) > looks * SHARED_CPU;
                    core.score.note(!shared, start, now);
                    return true;
                }
                Poll::Pending => {}
                Poll::Ready(_) => {
                    // How a connection ends is the driver's business.
                    self.driver.wake();
                    return false;
                }
            }
            if now.duration_since(start) >= core.score.limit {
                core.score.note(false, start, now);
                return false;
            }
            // A look at memory is so cheap that a CPU of our own is not given away after each of them.
            if core.way.is_memory() && !core.score.shares_cpu && looks % LOOKS_PER_YIELD != 0 {
                continue;
            }
            drop(guard);
            // Whoever is at work for us may need this very CPU.
            thread::yield_now();
            self.lock().score.shares_cpu = now.elapsed() > SHARED_CPU;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_micros(30);

    /// Takes so many chances, of which every try fails and takes that long, and what was waited for comes that late.
    fn fail(score: &mut Score, chances: u32, took: Duration, late: Duration) -> u32 {
        let (mut tries, mut now) = (0, Instant::now());
        for _ in 0..chances {
            if score.skip == 0 {
                tries += 1;
                score.note(false, now, now + took);
            } else {
                score.skip -= 1;
            }
            now += took + late;
            score.received(now);
        }
        tries
    }

    #[test]
    fn what_fails_is_tried_ever_more_rarely_and_what_succeeds_again_at_once() {
        let mut score = Score::new(LIMIT);
        assert!(fail(&mut score, 10_000, LIMIT, 10 * LIMIT) < 20);
        assert_eq!(score.level, SKIPS.len() - 1);
        let now = Instant::now();
        for _ in 0..SKIPS.len() {
            score.note(true, now, now + LIMIT / 2);
            assert_eq!(score.skip, 0);
        }
        assert_eq!(score.level, 0);
    }

    #[test]
    fn what_fails_by_little_is_tried_again_soon() {
        let mut score = Score::new(LIMIT);
        let tries = fail(&mut score, 10_000, LIMIT, LIMIT);
        assert!((600..700).contains(&tries), "{tries}");
    }

    #[test]
    fn who_yields_to_somebody_with_more_to_do_gives_up_sooner() {
        let mut score = Score::new(LIMIT);
        assert!(fail(&mut score, 10_000, 3 * LIMIT, LIMIT) < 12);
        // Also if there is something each time.
        let (mut score, mut tries, now) = (Score::new(LIMIT), 0, Instant::now());
        for _ in 0..10_000 {
            if score.skip == 0 {
                tries += 1;
                score.note(true, now, now + 3 * LIMIT);
            } else {
                score.skip -= 1;
            }
        }
        assert!(tries < 12, "{tries}");
    }

    #[test]
    fn what_is_given_up_is_tried_again_after_many_chances_and_goes_on_once_it_succeeds() {
        let mut score = Score::new(LIMIT);
        score.give_up();
        assert_eq!((score.level, score.skip), (SKIPS.len() - 1, SKIPS[SKIPS.len() - 1]));
        let now = Instant::now();
        score.note(true, now, now + LIMIT / 2);
        assert_eq!(score.skip, 0);
    }

    #[test]
    fn without_a_limit_nothing_is_looked_for() {
        assert!(!Score::new(Duration::ZERO).is_due());
    }
}
