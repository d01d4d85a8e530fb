//! When to look at which connection again.
//!
//! A deadline moves with nearly every request, always later (idle again for 75 s), so moving it must cost nothing: the connection keeps its
//! own due time, and this heap holds for each slot index one entry that is never later than that. An entry that comes up too early is
//! filed again; one left by a former connection of the same index is simply taken over.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Milliseconds on the loop's clock.
pub(crate) type Millis = u64;

/// No deadline.
pub(crate) const NEVER: Millis = Millis::MAX;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Millis, u32)>>,
    /// For each index the time of its live entry; an entry with another time is stale.
    filed: Vec<Millis>,
}

impl Deadlines {
    /// Makes sure that `index` comes up at `due` or before.
    pub(crate) fn file(&mut self, index: u32, due: Millis) {
        if self.filed.len() <= index as usize {
            self.filed.resize(index as usize + 1, NEVER);
        }
        if let Some(filed) = self.filed.get_mut(index as usize)
            && due < *filed
        {
            *filed = due;
            self.heap.push(Reverse((due, index)));
        }
    }

    /// When the next index comes up.
    pub(crate) fn next_due(&mut self) -> Option<Millis> {
        while let Some(&Reverse((due, index))) = self.heap.peek() {
            if self.filed.get(index as usize) == Some(&due) {
                return Some(due);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out an index that has come up by `now`. The caller files it again if its own due time is later.
    pub(crate) fn pop_due(&mut self, now: Millis) -> Option<u32> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse((_, index)) = self.heap.pop()?;
        if let Some(filed) = self.filed.get_mut(index as usize) {
            *filed = NEVER;
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_up_at_the_earliest_time_filed_and_once() {
        let mut deadlines = Deadlines::default();
        deadlines.file(3, 500);
        deadlines.file(3, 200);
        deadlines.file(3, 900);
        deadlines.file(1, 300);
        assert_eq!(deadlines.next_due(), Some(200));
        assert_eq!(deadlines.pop_due(199), None);
        assert_eq!(deadlines.pop_due(1000), Some(3));
        assert_eq!(deadlines.pop_due(1000), Some(1));
        assert_eq!(deadlines.pop_due(1000), None);
        assert_eq!(deadlines.next_due(), None);
    }

    #[test]
    fn moving_a_deadline_later_costs_no_entry() {
        let mut deadlines = Deadlines::default();
        for due in 100..10_000 {
            deadlines.file(0, due);
        }
        assert_eq!(deadlines.heap.len(), 1);
    }

    #[test]
    fn an_index_can_be_filed_again_after_it_came_up() {
        let mut deadlines = Deadlines::default();
        deadlines.file(0, 100);
        assert_eq!(deadlines.pop_due(100), Some(0));
        deadlines.file(0, 150);
        assert_eq!(deadlines.pop_due(150), Some(0));
    }
}
