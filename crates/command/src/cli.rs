//! The command line: arguments and environment in, a [`Config`] or a reason to stop out. Opens, imports and binds
//! nothing.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use brickwork_server::http::Limits;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};

use crate::config::{
    self, ApplicationName, Config, LogTarget, Raw, RawFiles, RawLimits, RawMounts, Subject, foreign_flags,
};

/// A web server for Python (WSGI) applications.
#[derive(Parser, Debug)]
#[command(name = "brickwork", version, subcommand_required = true, disable_help_subcommand = true)]
enum Command {
    /// Serve an application (the word `run` may be left out)
    #[command(override_usage = USAGE, after_help = AFTER_HELP)]
    Run(Run),
    /// Serve a page on loopback that shows each request as the server understood it
    #[command(after_help = AFTER_HELP)]
    Demo(Demo),
    /// Serve the files of a directory, with no application
    #[command(after_help = AFTER_HELP)]
    Static(Static),
    /// Show how many workers --workers auto would start here, and why
    #[command(after_help = AFTER_HELP)]
    Plan(Plan),
    /// Make a running server start anew with the application as it is now; what it serves meanwhile is not disturbed
    Reload(Reload),
    /// Show the workers of a running server, and what they have done
    Status(Which),
    /// Show which requests are in the application of a running server now, for how long, and where
    Stacks(Which),
    /// Say what a rule is that a message can break, with examples; without a code, list all
    Explain(Explain),
    /// Read raw bytes as a connection would bring them, and say what is made of them
    #[command(name = "check-request", after_help = AFTER_CHECK_HELP)]
    CheckRequest(CheckArguments),
}

#[derive(clap::Args, Debug)]
struct Plan {
    /// The application; it is not looked for
    #[arg(value_name = "APP")]
    application: Option<String>,
    #[command(flatten)]
    raw: Raw,
}

/// `brickwork reload`: which server, and whether to wait for what comes of it.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Wait until the new generation serves; if it cannot, tell why, with exit status 1
    #[arg(long)]
    pub wait: bool,
    /// Which server.
    #[command(flatten)]
    pub which: Which,
}

/// Which running server.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct Which {
    /// The server whose process id is in this file
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["name", "process"])]
    pub pid: Option<std::path::PathBuf>,
    /// The server that was started with this --name
    #[arg(short, long, value_name = "NAME", conflicts_with = "process")]
    pub name: Option<String>,
    /// The server with this process id; without any of these, the only server there is
    #[arg(value_name = "PROCESS")]
    pub process: Option<i32>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Task {
    /// Serve.
    Serve(Box<Config>),
    /// Say how serving would be sized.
    Plan(Box<Config>),
    /// Have a running server reloaded.
    Reload(Reload),
    /// Ask a running server how it is.
    Status(Which),
    /// Ask a running server's workers where their requests are.
    Stacks(Which),
    /// Check requests.
    Check(CheckRequest),
    /// Explain rules.
    Explain(Explain),
}

#[derive(clap::Args, Debug)]
struct Run {
    /// module:callable, module:object.attribute, module:factory(), or a module with `application` or `app` in it
    #[arg(value_name = "APP")]
    application: String,
    #[command(flatten)]
    raw: Raw,
    #[command(flatten)]
    mounts: RawMounts,
}

#[derive(clap::Args, Debug)]
struct Demo {
    #[command(flatten)]
    raw: Raw,
}

#[derive(clap::Args, Debug)]
struct Static {
    /// The directory
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    raw: Raw,
    #[command(flatten)]
    files: RawFiles,
}

/// `brickwork explain`: which rules.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Such as BW0107
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// The reference page of all rules
    #[arg(long, conflicts_with = "code", hide = true)]
    pub markdown: bool,
}

#[derive(clap::Args, Debug)]
struct CheckArguments {
    /// A file, a folder (one line for each file), or - for standard input
    #[arg(value_name = "FILE|DIR|-")]
    path: PathBuf,
    /// One JSON object for each file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: RawLimits,
}

/// The flags alone.
#[derive(Parser, Debug)]
#[command(disable_help_flag = true)]
struct Settings {
    #[command(flatten)]
    raw: Raw,
    #[command(flatten)]
    mounts: RawMounts,
}

const USAGE: &str = "brickwork [OPTIONS] APP
       brickwork run [OPTIONS] APP
       brickwork demo [OPTIONS]
       brickwork static [OPTIONS] [DIR]
       brickwork reload [--wait] [--pid FILE | --name NAME | PROCESS]
       brickwork status [--pid FILE | --name NAME | PROCESS]
       brickwork stacks [--pid FILE | --name NAME | PROCESS]
       brickwork plan [OPTIONS] [APP]
       brickwork explain [CODE]
       brickwork check-request [OPTIONS] FILE|DIR|-";

const AFTER_HELP: &str = "A TIME is a number with ms, s, m or h; a SIZE a number with KiB, MiB or GiB.
Every flag can be set in the environment too: --keep-alive as BRICKWORK_KEEP_ALIVE. The command line wins.
Exit status: 0 ended as asked, 1 could not start, 2 wrong usage.";

const AFTER_CHECK_HELP: &str = "The limits are those of a server, on the command line or in the environment.
Exit status: 0 all accepted, 1 any refused, 2 wrong usage.";

/// The words that name a command. An application of such a name goes behind `run`.
const COMMANDS: [&str; 9] = ["run", "demo", "static", "plan", "reload", "status", "stacks", "explain", "check-request"];

/// `brickwork check-request`: what is to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRequest {
    /// A file, a folder, or `-` for standard input.
    pub path: PathBuf,
    /// How to say what was found.
    pub format: Format,
    /// Those of the server that it is checked for.
    pub limits: Limits,
}

/// How to say what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object for each file.
    Json,
}

/// Why nothing is served.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// What was asked for is this text: standard output, status 0.
    Shown(String),
    /// What was asked for cannot be: standard error, status 2.
    Usage(String),
}

/// Reads `arguments` (without the program's name). `environment` looks up a variable.
pub fn parse(arguments: Vec<OsString>, environment: impl Fn(&str) -> Option<String>) -> Result<Task, Stop> {
    let Some(first) = arguments.first() else {
        return Err(Stop::Usage(format!("Usage: {USAGE}\n\nTry 'brickwork --help' for the options.\n")));
    };
    let is_command_named = COMMANDS.iter().chain(&["--version", "-V"]).any(|word| first == word);
    let mut words: Vec<OsString> = vec!["brickwork".into()];
    words.extend((!is_command_named).then(|| "run".into()));
    words.extend(arguments);

    let typed = Command::command().try_get_matches_from(&words).map_err(|error| clap_stop(&error))?;
    // The environment has no say in it.
    if let Ok(Command::Explain(explain)) = Command::from_arg_matches(&typed) {
        return Ok(Task::Explain(explain));
    }
    let matches = with_environment(words, typed, &environment)?;
    let command = Command::from_arg_matches(&matches).map_err(|error| clap_stop(&error))?;
    let mut sendfile_root = None;
    let (raw, subject, mounts) = match command {
        Command::Run(run) if !is_command_named && COMMANDS.contains(&run.application.as_str()) => {
            return Err(usage(&format!("the word '{}' comes first, before the flags", run.application)));
        }
        Command::Run(run) => {
            let name: ApplicationName = run.application.parse().map_err(|error: String| usage(&error))?;
            sendfile_root = run.mounts.sendfile_root.clone();
            (run.raw, Subject::Application(name), run.mounts.beside())
        }
        Command::Plan(plan) => {
            let name = plan.application.as_deref().unwrap_or("app");
            let name: ApplicationName = name.parse().map_err(|error: String| usage(&error))?;
            let config = config::resolve(plan.raw, Subject::Application(name), environment);
            return config.map(|config| Task::Plan(Box::new(config))).map_err(|error| usage(&error));
        }
        Command::Reload(reload) => return Ok(Task::Reload(reload)),
        Command::Status(which) => return Ok(Task::Status(which)),
        Command::Stacks(which) => return Ok(Task::Stacks(which)),
        Command::Demo(demo) => (demo.raw, Subject::Demo, Vec::new()),
        Command::Static(files) => (files.raw, Subject::Files, files.files.alone(files.directory)),
        Command::CheckRequest(CheckArguments { path, json, limits }) => {
            let format = if json { Format::Json } else { Format::Text };
            let limits = limits.resolve().map_err(|error| usage(&error))?;
            return Ok(Task::Check(CheckRequest { path, format, limits }));
        }
        Command::Explain(explain) => return Ok(Task::Explain(explain)),
    };
    let config = config::resolve(raw, subject, environment).map_err(|error| usage(&error))?;
    Ok(Task::Serve(Box::new(Config { mounts, sendfile_root, ..config })))
}

/// Reads the settings of a server that a Python program makes, as if they had been typed. Neither the environment nor `PORT` is asked:
/// the program says what it wants.
pub fn parse_settings(flags: Vec<OsString>, name: ApplicationName) -> Result<Config, Stop> {
    let words = [OsString::from("brickwork")].into_iter().chain(flags);
    let Settings { mut raw, mounts } = Settings::try_parse_from(words).map_err(|error| clap_stop(&error))?;
    // The program's own output is its own: a log of requests has to be asked for.
    raw.access_logfile.get_or_insert(LogTarget::Off);
    // And so is its time: somebody may sit at a debugger.
    raw.timeout.get_or_insert(Duration::ZERO);
    raw.slow_request.get_or_insert(Duration::ZERO);
    let config = config::resolve(raw, Subject::Application(name), |_| None).map_err(|error| usage(&error))?;
    Ok(Config { mounts: mounts.beside(), sendfile_root: mounts.sendfile_root, ..config })
}

/// Adds what the environment says about flags that were not typed. An empty variable says nothing.
///
/// Done here and not by clap, so that a flag cannot be without its variable, and tests can bring an environment along.
fn with_environment(
    words: Vec<OsString>,
    typed: ArgMatches,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<ArgMatches, Stop> {
    let mut command = Command::command();
    let Some((name, typed_flags)) = typed.subcommand() else { return Ok(typed) };
    let Some(flags) = command.find_subcommand(name) else { return Ok(typed) };
    let (program_and_command, rest) = words.split_at(2);
    let mut from_environment: Vec<OsString> = Vec::new();
    for flag in flags.get_arguments() {
        let Some(long) = flag.get_long() else { continue };
        let is_ours = typed_flags.try_contains_id(flag.get_id().as_str()).is_ok();
        // What a person says to one command (--json, --wait) is no setting of a server.
        let is_setting = flag.get_action().takes_values();
        if !is_ours || !is_setting || typed_flags.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)
        {
            continue;
        }
        let variable = format!("BRICKWORK_{}", long.replace('-', "_").to_uppercase());
        let Some(value) = environment(&variable).filter(|value| !value.is_empty()) else { continue };
        let argument: OsString = format!("--{long}={value}").into();
        let alone = program_and_command.iter().chain([&argument]).chain(rest);
        if let Err(error) = Command::command().try_get_matches_from(alone) {
            let text = error.render().to_string();
            let first_line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            return Err(usage(&format!("{variable} in the environment: {first_line}")));
        }
        from_environment.push(argument);
    }
    let all = program_and_command.iter().chain(&from_environment).chain(rest);
    command.try_get_matches_from_mut(all).map_err(|error| clap_stop(&error))
}

fn clap_stop(error: &clap::Error) -> Stop {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return Stop::Shown(text),
        ErrorKind::UnknownArgument => {
            if let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
                && let Some(advice) = foreign_flags::advice(flag)
            {
                return usage(&format!("{flag}: {advice}"));
            }
        }
        _ => {}
    }
    Stop::Usage(text)
}

fn usage(message: &str) -> Stop {
    Stop::Usage(format!("error: {message}\n"))
}

#[cfg(test)]
mod tests;
