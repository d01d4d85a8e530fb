//! A reload on its way: a generation that has to prove itself before the one that serves is drained.

use std::os::unix::net::UnixStream;

use crate::control::answer;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Reload {
    /// Those who wait to hear what comes of it.
    clients: Vec<UnixStream>,
    /// The new generation serves; its predecessor is being replaced.
    pub(crate) is_proven: bool,
    /// It was asked for again meanwhile, and begins anew when this one is through.
    pub(crate) again: Option<Vec<UnixStream>>,
}

impl Reload {
    pub(crate) fn new(clients: Vec<UnixStream>) -> Reload {
        Reload { clients, is_proven: false, again: None }
    }

    /// Tells those who wait.
    pub(crate) fn conclude(&mut self, result: &Result<String, String>) {
        for client in self.clients.drain(..) {
            answer(client, result);
        }
    }

    /// Asked for once more while it runs.
    pub(crate) fn ask_again(&mut self, client: Option<UnixStream>) {
        self.again.get_or_insert_default().extend(client);
    }
}
