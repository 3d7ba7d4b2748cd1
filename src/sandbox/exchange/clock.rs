//! The stand-in's time and identifiers, both repeatable.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// Where the clock stands when nobody sets it.
const START: OffsetDateTime = datetime!(2026-07-24 19:00:00 UTC);

/// A clock that stands still but for writes, or runs with the machine's.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The time when standing still, else the distance from the machine's clock.
    state: State,
}

#[derive(Debug)]
enum State {
    Still(OffsetDateTime),
    Running(Duration),
}

impl Clock {
    /// Starts a clock; `running` ties it to the machine's.
    pub(crate) fn new(running: bool) -> Self {
        Self { state: if running { State::Running(Duration::ZERO) } else { State::Still(START) } }
    }

    /// The time.
    pub(crate) fn now(&self) -> OffsetDateTime {
        match self.state {
            State::Still(now) => now,
            State::Running(ahead) => OffsetDateTime::now_utc() + ahead,
        }
    }

    /// Sets the time.
    pub(crate) fn set(&mut self, now: OffsetDateTime) {
        self.state = match self.state {
            State::Still(_) => State::Still(now),
            State::Running(_) => State::Running(now - OffsetDateTime::now_utc()),
        };
    }

    /// Moves on by this much.
    pub(crate) fn advance(&mut self, by: Duration) {
        match &mut self.state {
            State::Still(now) => *now += by,
            State::Running(ahead) => *ahead += by,
        }
    }

    /// Notes that something was written: a clock that stands still moves on by a second, so that no two change
    /// stamps are equal.
    pub(crate) fn tick(&mut self) -> OffsetDateTime {
        if let State::Still(now) = &mut self.state {
            *now += Duration::SECOND;
        }
        self.now()
    }
}

/// Hands out GUIDs that depend on a seed and nothing else.
#[derive(Debug)]
pub(crate) struct Guids {
    seed: u64,
    next: u64,
}

impl Guids {
    /// Starts a sequence.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// The next GUID.
    pub(crate) fn next(&mut self) -> String {
        self.next += 1;
        let base = mix(self.seed ^ self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let bits = (u128::from(base) << 64) | u128::from(mix(base ^ self.next));
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }
}

/// Spreads a number over all bits (the finalizer of `SplitMix64`).
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
