//! The loop's table of connections: what the loop alone knows of each.

use std::sync::Arc;

use slab::Slab;

use crate::Exchange;
use crate::deadlines::{Millis, NEVER};
use crate::slot::Slot;

/// Names one connection for ever: its index is used again, its generation is not (before 2^32 connections on that index).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Key {
    /// The key of no connection.
    pub(crate) const NOBODY: Key = Key { index: u32::MAX, generation: u32::MAX };

    pub(crate) fn from_data(data: u64) -> Key {
        Key { index: data as u32, generation: (data >> 32) as u32 }
    }

    pub(crate) fn to_data(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

/// A connection as the loop sees it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) generation: u32,
    pub(crate) slot: Arc<Slot>,
    pub(crate) phase: Phase,
    /// What the peer says about clients is believed.
    pub(crate) is_trusted: bool,
    /// None while the connection is idle, or while its exchange is out.
    pub(crate) exchange: Option<Box<Exchange>>,
    /// Requests handed out so far.
    pub(crate) requests: u32,
    /// An edge said that there is something to receive, and no receive has found the end of it yet.
    pub(crate) readable: bool,
    /// The peer has finished sending; what it sent before is still answered.
    pub(crate) peer_finished: bool,
    /// When the loop must look at it again; see [`Deadlines`](crate::deadlines::Deadlines).
    pub(crate) due: Millis,
    /// When the phase began, for deadlines that no progress extends.
    pub(crate) since: Millis,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Between requests.
    Idle,
    /// A head is coming in.
    Head,
    /// Content is coming in.
    Content,
    /// The exchange is out: with a handler, or on its way back.
    Out,
    /// The exchange waits in the queue for a thread, unless one has taken it since.
    Queued,
    /// The response is complete; its last bytes wait for the kernel.
    Flushing(Then),
    /// Everything is sent and our side is closed; what the peer still sends is read and dropped, so that no reset destroys the answer on its way
    /// (RFC 9112 section 9.6).
    Lingering,
}

/// What follows a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request.
    Persist,
    /// The end of the connection.
    Close,
    /// The end of the connection, reading on for a while.
    Linger,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    slab: Slab<Connection>,
    next_generation: u32,
}

impl Connections {
    /// Adds a connection in phase `Idle`.
    pub(crate) fn insert(&mut self, slot: Slot, now: Millis) -> Key {
        // The highest generation marks the loop's own descriptors in event data.
        self.next_generation = (self.next_generation + 1) % (u32::MAX - 1);
        let generation = self.next_generation;
        let index = self.slab.insert(Connection {
            generation,
            slot: Arc::new(slot),
            phase: Phase::Idle,
            is_trusted: false,
            exchange: None,
            requests: 0,
            readable: false,
            peer_finished: false,
            due: NEVER,
            since: now,
        });
        Key { index: index as u32, generation }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        self.slab.get_mut(key.index as usize).filter(|connection| connection.generation == key.generation)
    }

    /// The connection at an index, whatever its generation.
    pub(crate) fn at_index(&mut self, index: u32) -> Option<(Key, &mut Connection)> {
        let connection = self.slab.get_mut(index as usize)?;
        Some((Key { index, generation: connection.generation }, connection))
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Connection> {
        self.get_mut(key)?;
        Some(self.slab.remove(key.index as usize))
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Keys of all connections for which `wanted` holds.
    pub(crate) fn keys(&self, wanted: impl Fn(&Connection) -> bool) -> Vec<Key> {
        let key = |(index, connection): (usize, &Connection)| {
            wanted(connection).then_some(Key { index: index as u32, generation: connection.generation })
        };
        self.slab.iter().filter_map(key).collect()
    }
}
