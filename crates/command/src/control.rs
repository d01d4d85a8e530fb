//! `brickwork reload`, `status` and `stacks`: find a running supervisor, and ask it to start anew, or how it is; or ask its workers where they are.

use std::io;

use brickwork_supervisor::{Request, find, inspect, read_pid, request};

use crate::cli::{Reload, Which};

/// Reloads; returns what to print, or why it failed.
pub fn reload(wanted: &Reload) -> Result<String, String> {
    let (pid, name) = choose(&wanted.which)?;
    let cannot = |error: io::Error| format!("server {pid} ({name}): {error}\n");
    if !wanted.wait {
        brickwork_supervisor::hang_up(pid).map_err(cannot)?;
        return Ok(format!("server {pid} ({name}) was asked to reload; its log tells what comes of it\n"));
    }
    match request(pid, &name, Request::Reload).map_err(cannot)? {
        Ok(text) => Ok(format!("{text}\n")),
        Err(text) => Err(format!("not reloaded, the server goes on as it was: {}\n", text.trim_end())),
    }
}

/// Asks how the server is; returns what to print, or why it failed.
pub fn status(wanted: &Which) -> Result<String, String> {
    let (pid, name) = choose(wanted)?;
    let answer = request(pid, &name, Request::Status);
    match answer.map_err(|error| format!("server {pid} ({name}): {error}\n"))? {
        Ok(text) => Ok(format!("{text}\n")),
        Err(text) => Err(format!("{text}\n")),
    }
}

/// Asks the workers where their requests are; returns what to print, or why it failed.
pub fn stacks(wanted: &Which) -> Result<String, String> {
    let (pid, name) = choose(wanted)?;
    let workers = inspect(pid).map_err(|error| format!("server {pid} ({name}): {error}\n"))?;
    if workers.is_empty() {
        return Err(format!("server {pid} ({name}): no worker of it can be asked\n"));
    }
    let shown = workers.into_iter().map(|(worker, answer)| match answer {
        Ok(text) => format!("worker {worker}: {text}"),
        Err(error) => format!("worker {worker} does not answer: {error}\n"),
    });
    Ok(shown.collect())
}

/// The server that is meant: process id and name.
fn choose(wanted: &Which) -> Result<(i32, String), String> {
    let pid = match &wanted.pid {
        Some(path) => Some(read_pid(path).map_err(|error| format!("--pid {}: {error}\n", path.display()))?),
        None => wanted.process,
    };
    let servers = find().map_err(|error| format!("servers cannot be looked for: {error}\n"))?;
    let is_meant = |(process, name): &&(i32, String)| {
        pid.is_none_or(|pid| pid == *process) && wanted.name.as_ref().is_none_or(|wanted| wanted == name)
    };
    let meant: Vec<&(i32, String)> = servers.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err("no such server runs here\n".into()),
        several => {
            let list: Vec<String> = several.iter().map(|(pid, name)| format!("{pid} ({name})")).collect();
            Err(format!("several servers run here, say which: {}\n", list.join(", ")))
        }
    }
}
