//! The program that the command `brickwork` becomes when it serves: the supervisor, a process without an interpreter.

use std::process::ExitCode;

use brickwork_command::supervise_as_planned;

fn main() -> ExitCode {
    supervise_as_planned(std::env::args_os().nth(1).as_deref()).into()
}
