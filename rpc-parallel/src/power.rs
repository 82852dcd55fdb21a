//! Whether this machine runs on its battery.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Where Linux tells of batteries and mains. Elsewhere it is not known, and counts as mains.
const SUPPLIES: &str = "/sys/class/power_supply";

/// How long an answer is good for: some firmware takes a millisecond to give one.
const GOOD_FOR: Duration = Duration::from_secs(10);

/// When it was asked last, and the answer.
static SEEN: Mutex<Option<(Instant, bool)>> = Mutex::new(None);

/// Whether it does, or did a few seconds ago.
pub(crate) fn on_battery(now: Instant) -> bool {
    let before = *SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    match before {
        Some((at, answer)) if now.duration_since(at) < GOOD_FOR => return answer,
        // Others go on with this meanwhile.
        Some((_, answer)) => set_on_battery(now, answer),
        None => set_on_battery(now, false),
    }
    let answer = discharges(Path::new(SUPPLIES));
    set_on_battery(now, answer);
    answer
}

/// A worker is told by its spawner: to look would delay its first calls.
pub(crate) fn set_on_battery(now: Instant, answer: bool) {
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, answer));
}

/// Whether a battery of the machine gives power, and no mains do. What a mouse has is none of the machine's.
fn discharges(supplies: &Path) -> bool {
    let Ok(entries) = fs::read_dir(supplies) else { return false };
    let mut discharges = false;
    for supply in entries.flatten().map(|entry| entry.path()) {
        let is = |file: &str, text: &str| fs::read_to_string(supply.join(file)).is_ok_and(|is| is.trim() == text);
        if is("scope", "Device") {
            continue;
        }
        if is("type", "Battery") {
            discharges |= is("status", "Discharging");
        } else if is("online", "1") {
            return false;
        }
    }
    discharges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_battery_counts_where_it_is_all_there_is() {
        let battery = ("BAT0", &[("type", "Battery"), ("status", "Discharging")][..]);
        let charging = ("BAT1", &[("type", "Battery"), ("status", "Charging")][..]);
        let mouse = ("hid", &[("type", "Battery"), ("status", "Discharging"), ("scope", "Device")][..]);
        let pad = ("pad", &[("type", "Mains"), ("online", "1"), ("scope", "Device")][..]);
        let mains = ("AC", &[("type", "Mains"), ("online", "1")][..]);
        let unplugged = ("AC", &[("type", "Mains"), ("online", "0")][..]);
        for (supplies, expected) in [
            (&[][..], false),
            (&[battery], true),
            (&[battery, unplugged], true),
            (&[battery, charging], true),
            (&[charging, unplugged], false),
            (&[battery, mains], false),
            (&[mouse], false),
            (&[mouse, unplugged], false),
            (&[battery, pad], true),
        ] {
            let root = tempfile::tempdir().unwrap();
            for (name, files) in supplies {
                let supply = root.path().join(name);
                fs::create_dir(&supply).unwrap();
                for (file, text) in *files {
                    fs::write(supply.join(file), format!("{text}\n")).unwrap();
                }
            }
            assert_eq!(discharges(root.path()), expected, "{supplies:?}");
        }
        assert!(!discharges(Path::new("/does/not/exist")));
    }
}
