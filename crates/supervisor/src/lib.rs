//! The processes and signals of Brickwork: no HTTP, no Python, so that it can be read in one sitting.
//!
//! Start at [`Supervisor`]; what a child sees of it is [`Handoff`] and [`Channel`]. Descriptors are passed on without
//! knowing what they are for.
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("Brickwork runs on Linux only for now: signals arrive through an eventfd");

mod back_off;
mod certificate;
mod channel;
mod control;
mod deaths;
mod descriptor;
mod end;
mod exit;
mod fleet;
mod fork;
mod handoff;
mod inspection;
mod last_words;
mod launch;
mod notify;
mod oom;
mod pid_file;
mod polled;
mod privileges;
mod reload;
mod reports;
mod responder;
mod rounds;
mod scoreboard;
mod signals;
mod supervisor;
mod takeover;
mod watch;
mod watchdog;
mod worker;

pub use certificate::Findings;
pub use channel::{Channel, Heard, Order, Report};
pub use control::{Request, find, hang_up, request};
pub use descriptor::{inherit, replace_descriptor};
pub use exit::{die_with_parent, exit_now};
pub use fork::{Forked, fork_orphan};
pub use handoff::{Handoff, Role};
pub use inspection::{Inspection, inspect};
pub use last_words::LastWords;
pub use launch::Launch;
pub use notify::Notifier;
pub use pid_file::{PidFile, read_pid};
pub use privileges::{Privileges, set_process_name, set_umask};
pub use responder::RESPONDER_LEAVES_WITHIN;
pub use rounds::WRITE_STACKS;
pub use scoreboard::{Pulse, Scoreboard};
pub use signals::{Signal, Signals, Waker, Woken};
pub use supervisor::{Hooks, Outcome, Settings, Supervisor};
pub use takeover::{hand_over, take_over};
