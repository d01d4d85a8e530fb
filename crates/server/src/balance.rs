//! Spreads connections over processes that share a listener: a loop that has more of them than the mean lets the others go first.
//!
//! It lets them go first once, for a moment, and then accepts all the same: nothing waits for a process that hangs.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many connections each of the processes has, in memory that they share: one more than their number, or 0 for one that
/// accepts none.
#[derive(Clone, Copy, Debug)]
pub struct Balance {
    board: &'static [AtomicU32],
    own: &'static AtomicU32,
}

impl Balance {
    /// With our number at `place`; None if there is no such place.
    #[must_use]
    pub fn new(board: &'static [AtomicU32], place: usize) -> Option<Balance> {
        Some(Balance { board, own: board.get(place)? })
    }

    /// We accept, and have so many connections.
    pub(crate) fn publish(&self, connections: usize) {
        self.own.store(u32::try_from(connections).unwrap_or(u32::MAX - 1) + 1, Ordering::Relaxed);
    }

    /// We accept no more.
    pub(crate) fn withdraw(&self) {
        self.own.store(0, Ordering::Relaxed);
    }

    /// Whether we have more connections than the mean.
    pub(crate) fn is_above_mean(&self) -> bool {
        let numbers = self.board.iter().map(|number| u64::from(number.load(Ordering::Relaxed)));
        let (total, processes) =
            numbers.filter(|&number| number > 0).fold((0, 0), |(total, count), number| (total + number, count + 1));
        u64::from(self.own.load(Ordering::Relaxed)) * processes > total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_with_those_that_accept() {
        let rows: [(&[usize], bool); 5] =
            [(&[3], false), (&[3, 3], false), (&[4, 3], true), (&[0, 0, 1], false), (&[2, 0, 9], false)];
        for (connections, is_above) in rows {
            let board: &'static [AtomicU32] = Box::leak((0..9).map(|_| AtomicU32::new(0)).collect());
            for (place, &count) in connections.iter().enumerate() {
                Balance::new(board, place).unwrap().publish(count);
            }
            assert_eq!(Balance::new(board, 0).unwrap().is_above_mean(), is_above, "{connections:?}");
        }
        assert!(Balance::new(&[], 0).is_none());
    }
}
