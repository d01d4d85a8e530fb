//! The processes and signals of Brickwork: no HTTP, no Python, so that it can be read in one sitting.
//!
//! Start at [`Supervisor`]; what a child sees of it is [`Handoff`] and [`Channel`]. Descriptors are passed on without
//! knowing what they are for.
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("Brickwork runs on Linux only for now: signals arrive through an eventfd");

mod back_off;
mod channel;
mod control;
mod end;
mod exit;
mod fleet;
mod fork;
mod handoff;
mod launch;
mod notify;
mod pid_file;
mod privileges;
mod reload;
mod scoreboard;
mod signals;
mod supervisor;
mod watch;
mod worker;

pub use channel::{Channel, Heard, Order, Report};
pub use control::{find, hang_up, request_reload};
pub use exit::exit_now;
pub use fork::{Forked, fork_orphan};
pub use handoff::{Handoff, Role};
pub use launch::Launch;
pub use notify::Notifier;
pub use pid_file::{PidFile, read_pid};
pub use privileges::{Privileges, replace_descriptor, set_process_name, set_umask};
pub use scoreboard::Scoreboard;
pub use signals::{Signal, Signals, Waker, Woken};
pub use supervisor::{Outcome, Settings, Supervisor};
