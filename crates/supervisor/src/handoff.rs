//! What a child is started with: its role, the version it must have, and the descriptors it inherits. Written as the
//! first argument of its command line, so that `ps` shows it.

use std::fmt;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::str::FromStr;

use crate::Scoreboard;
use crate::channel::Channel;
use crate::descriptor::inherit;

/// See the module's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// What the child is to be.
    pub role: Role,
    /// The version of the supervisor's program: another one may have been installed underneath it since.
    pub version: String,
    /// Which generation the child belongs to.
    pub generation: u32,
    pub(crate) control: RawFd,
    /// The child's place on the scoreboard; one that a zygote forks gets its own.
    pub place: usize,
    /// Nobody has served yet: this child may accept connections before it can answer all of them.
    pub is_first: bool,
    pub(crate) board: RawFd,
    pub(crate) listeners: Vec<RawFd>,
}

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Imports the application and serves it.
    Worker,
    /// Imports the application once and forks workers.
    Zygote,
    /// Answers for the first generation while its zygote imports.
    Responder,
}

impl Handoff {
    /// Takes over the inherited descriptors: the channel to the supervisor, the scoreboard and the listeners. Once.
    ///
    /// # Errors
    /// If one of them is not open: this process was not started by a supervisor.
    pub fn take(&self) -> io::Result<(Channel, Scoreboard, Vec<OwnedFd>)> {
        let channel = Channel::inherited(inherit(self.control)?);
        let board = Scoreboard::map(inherit(self.board)?)?;
        let listeners = self.listeners.iter().map(|&fd| inherit(fd)).collect::<io::Result<Vec<OwnedFd>>>()?;
        Ok((channel, board, listeners))
    }
}

impl fmt::Display for Handoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Worker => "worker",
            Role::Zygote => "zygote",
            Role::Responder => "responder",
        };
        let listeners: Vec<String> = self.listeners.iter().map(RawFd::to_string).collect();
        let (version, generation, control) = (&self.version, self.generation, self.control);
        let (board, place, is_first) = (self.board, self.place, u8::from(self.is_first));
        write!(f, "@{role},version={version},generation={generation},control={control},")?;
        write!(f, "board={board},place={place},first={is_first},listeners={}", listeners.join("+"))
    }
}

impl FromStr for Handoff {
    type Err = ();

    fn from_str(text: &str) -> Result<Handoff, ()> {
        let mut parts = text.strip_prefix('@').ok_or(())?.split(',');
        let role = match parts.next() {
            Some("worker") => Role::Worker,
            Some("zygote") => Role::Zygote,
            Some("responder") => Role::Responder,
            _ => return Err(()),
        };
        let mut value_of = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let version = value_of("version").ok_or(())?.to_owned();
        let generation = value_of("generation").and_then(|text| text.parse().ok()).ok_or(())?;
        let control = value_of("control").and_then(|text| text.parse().ok()).ok_or(())?;
        let board = value_of("board").and_then(|text| text.parse().ok()).ok_or(())?;
        let place = value_of("place").and_then(|text| text.parse().ok()).ok_or(())?;
        let is_first = value_of("first").ok_or(())? == "1";
        let listeners = value_of("listeners").ok_or(())?.split('+').filter(|number| !number.is_empty());
        let listeners = listeners.map(str::parse).collect::<Result<Vec<RawFd>, _>>().map_err(|_| ())?;
        Ok(Handoff { role, version, generation, control, place, is_first, board, listeners })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let roles = [(Role::Worker, true, vec![4, 5]), (Role::Zygote, false, vec![]), (Role::Responder, true, vec![4])];
        for (role, is_first, listeners) in roles {
            let (version, generation, control, place, board) = ("1.2.3".into(), 7, 3, 9, 8);
            let handoff = Handoff { role, version, generation, control, place, is_first, board, listeners };
            assert_eq!(handoff.to_string().parse(), Ok(handoff));
        }
        for text in ["app:application", "@worker", "@worker,version=1", "worker,version=1,generation=1,control=3"] {
            assert_eq!(text.parse::<Handoff>(), Err(()), "{text}");
        }
    }
}
