//! Time passes, clocks jump, the process begins anew.

use std::time::Duration;

use futures_executor::block_on;

use crate::world::{HOUR_MS, SWEPT_MS, Simulation};

impl Simulation {
    pub(crate) fn let_time_pass(&mut self) {
        let span = match self.dice.roll(12) {
            0..=7 => self.dice.roll(90_000),
            8..=9 => self.dice.roll(HOUR_MS),
            10 => self.dice.roll(5 * HOUR_MS),
            _ => [4 * HOUR_MS - 1, 4 * HOUR_MS, 30_000][self.dice.index(3)],
        };
        self.house.clock.advance(Duration::from_millis(span));
        self.wall += span;
        self.now = (self.now + span).max(self.wall);
        assert_eq!(self.portal.now().latest.as_millis(), self.now);
    }

    pub(crate) fn set_the_wall_clock(&mut self) {
        let jump = self.dice.roll(3 * HOUR_MS);
        self.wall = match self.dice.roll(2) {
            0 => self.wall + jump,
            _ => self.wall - jump,
        };
        self.house
            .clock
            .set_wall(narthex_core::Timestamp::from_millis(self.wall));
        self.now = self.now.max(self.wall);
        assert_eq!(
            self.portal.now().latest.as_millis(),
            self.now,
            "time went back"
        );
        self.count("clock jumps");
    }

    /// A stop that was announced: the floor is raised, then the process begins anew.
    pub(crate) fn restart(&mut self) {
        self.store.set_faults(false);
        block_on(self.portal.maintain()).unwrap();
        self.portal = block_on(self.house.open());
        assert_eq!(
            self.portal.now().latest.as_millis(),
            self.now,
            "a restart went back"
        );
        for f in 0..self.families.len() {
            let kept = self.kept_activity(f).max(self.families[f].started);
            let swept = self.now - self.families[f].started >= SWEPT_MS;
            let family = &mut self.families[f];
            assert!(
                swept || family.seen <= kept + 60_000,
                "more than a minute of activity was lost"
            );
            // What only the process knew is gone: it shortens, never lengthens.
            family.seen = kept;
        }
        self.count("restarts");
    }

    pub(crate) fn maintain(&mut self) {
        let _ = block_on(self.portal.maintain());
        self.store.forget_lost();
    }
}
