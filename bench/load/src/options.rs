//! The command line: `--name value` pairs.

use std::net::SocketAddr;

pub(crate) const USAGE: &str = "brickwork-load --address 127.0.0.1:8000 --length BYTES [options]
  --length N       bytes of content in a right answer
  --path P         what to ask for (default /)
  --connections N  active ones (default 64)
  --seconds N      how long (default 2)
  --rate N         requests a second over all connections; 0: as fast as answers come (default 0)
  --depth N        requests in one write, answered one by one (default 1)
  --idle N         connections that are opened first and never used (default 0)
  --slow-path P    what one request in --slow-one-in asks for instead; measured apart
  --slow-one-in N  (default 0: none)
  --close yes      a connection for each request";

pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) length: usize,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    pub(crate) rate: u64,
    pub(crate) depth: usize,
    pub(crate) idle: usize,
    pub(crate) slow_path: String,
    pub(crate) slow_one_in: u64,
    pub(crate) closes: bool,
}

pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        address: SocketAddr::from(([127, 0, 0, 1], 8000)),
        path: "/".into(),
        length: usize::MAX,
        connections: 64,
        seconds: 2,
        rate: 0,
        depth: 1,
        idle: 0,
        slow_path: String::new(),
        slow_one_in: 0,
        closes: false,
    };
    while let Some(name) = words.next() {
        let value = words.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--address" => options.address = value.parse().map_err(|error| format!("{name} {value}: {error}"))?,
            "--path" => options.path = value,
            "--slow-path" => options.slow_path = value,
            "--close" => options.closes = value == "yes",
            "--length" => options.length = number(&name, &value)?,
            "--connections" => options.connections = number(&name, &value)?,
            "--seconds" => options.seconds = number(&name, &value)?,
            "--rate" => options.rate = number(&name, &value)?,
            "--depth" => options.depth = number(&name, &value)?,
            "--idle" => options.idle = number(&name, &value)?,
            "--slow-one-in" => options.slow_one_in = number(&name, &value)?,
            _ => return Err(format!("{name} is no option")),
        }
    }
    if options.length == usize::MAX {
        return Err("--length is missing".into());
    }
    if options.connections == 0 || options.depth == 0 || options.seconds == 0 {
        return Err("connections, depth and seconds are at least 1".into());
    }
    if options.depth > 1 && (options.closes || options.rate > 0 || options.slow_one_in > 0) {
        return Err("--depth goes with no other kind of load".into());
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} {value}: not a number"))
}
