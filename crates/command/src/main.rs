//! The program that the command `brickwork` becomes when it serves: the supervisor, a process without an interpreter.

use std::process::ExitCode;

use brickwork_command::run_supervisor;

fn main() -> ExitCode {
    run_supervisor(std::env::args_os().nth(1).as_deref()).into()
}
