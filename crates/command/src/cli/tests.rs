use std::time::Duration;

use brickwork_server::http::Limits;
use brickwork_server::{Bind, StaticOptions};

use super::*;
use crate::config::{LogFormat, LogLevel, LogTarget, Mount, WorkerCount};

fn task_of(words: &[&str], variables: &[(&str, &str)]) -> Result<Task, Stop> {
    let environment = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| String::from(*value))
    };
    parse(words.iter().map(OsString::from).collect(), environment)
}

fn parse_words(words: &[&str], variables: &[(&str, &str)]) -> Result<Config, Stop> {
    match task_of(words, variables)? {
        Task::Serve(config) => Ok(*config),
        other => panic!("{words:?}: {other:?}"),
    }
}

fn usage_of(words: &[&str], variables: &[(&str, &str)]) -> String {
    match parse_words(words, variables) {
        Err(Stop::Usage(text)) => text,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn every_way_to_say_what_is_served() {
    let application = |text: &str| Subject::Application(text.parse().unwrap());
    let rows: [(&[&str], Subject); 13] = [
        (&["app:application"], application("app:application")),
        (&["run", "app:application"], application("app:application")),
        (&["app:make()", "--threads", "1"], application("app:make()")),
        (&["--threads=1", "app"], application("app")),
        (&["--", "app"], application("app")),
        (&["run", "demo"], application("demo")),
        (&["run", "--threads", "1", "run"], application("run")),
        (&["run", "static"], application("static")),
        (&["demo"], Subject::Demo),
        (&["static"], Subject::Files),
        (&["static", "docs"], Subject::Files),
        (&["static", "-b", ":0", "--dotfiles", "docs"], Subject::Files),
        (&["demo", "--threads", "1"], Subject::Demo),
    ];
    for (words, subject) in rows {
        assert_eq!(parse_words(words, &[]).unwrap().subject, subject, "{words:?}");
    }
}

#[test]
fn wrong_usage_is_said_in_one_message() {
    let rows: [(&[&str], &str); 18] = [
        (&[], "Usage: brickwork [OPTIONS] APP"),
        (&["run"], "APP"),
        (&["app.py"], "a module is meant: app:application"),
        (&["--threads", "1", "demo"], "'demo' comes first"),
        (&["--threads", "0", "app"], "--threads"),
        (&["--threads", "x", "app"], "--threads"),
        (&["--keep-alive", "5x", "app"], "--keep-alive"),
        (&["--keep-alive", "0", "app"], "--keep-alive"),
        (&["--limit-content", "1TB", "app"], "--limit-content"),
        (&["--log-level", "loud", "app"], "trace, debug, info, warning, error"),
        (&["--error-logfile", "none", "app"], "--error-logfile"),
        (&["--limit-request-line", "100KiB", "app"], "--limit-request-head"),
        (&["--frobnicate", "app"], "--frobnicate"),
        (&["-w", "0", "app"], "1 to 1024, or auto"),
        (&["--preload", "--reload", "app"], "choose"),
        (&["--forwarded-allow-ips", "10.0.0.0/64", "app"], "--forwarded-allow-ips"),
        (&["--health-path", "healthz", "app"], "/healthz"),
        (&["reload", "--pid", "/run/app.pid", "17"], "cannot be used with"),
    ];
    for (words, fragment) in rows {
        let text = usage_of(words, &[]);
        assert!(text.contains(fragment), "{words:?}: {text}");
    }
}

#[test]
fn a_flag_of_another_server_gets_one_line() {
    let rows: [(&[&str], &str); 6] = [
        (&["-k", "gevent", "app:app"], "-k: brickwork needs no worker class"),
        (&["app:app", "--worker-class=gevent"], "--worker-class: brickwork needs no worker class"),
        (&["app:app", "-D"], "-D: not here"),
        (&["app:app", "--uid", "4"], "--uid: use --user"),
        (&["run", "--interface", "wsgi", "app:app"], "--interface: "),
        (&["--http", ":8000", "--wsgi-file", "app.py"], "--http: use --bind"),
    ];
    for (words, start) in rows {
        let text = usage_of(words, &[]);
        assert!(text.starts_with(&format!("error: {start}")), "{words:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{words:?}: {text}");
    }
}

#[test]
fn help_and_version_are_shown() {
    for (words, fragment) in [
        (&["--help"][..], "--keep-alive"),
        (&["-h"], "brickwork demo"),
        (&["run", "--help"], "BRICKWORK_KEEP_ALIVE"),
        (&["demo", "--help"], "--threads"),
        (&["--version"], concat!("brickwork ", env!("CARGO_PKG_VERSION"))),
        (&["-V"], "brickwork "),
    ] {
        match parse_words(words, &[]) {
            Err(Stop::Shown(text)) => assert!(text.contains(fragment), "{words:?}: {text}"),
            other => panic!("{words:?}: {other:?}"),
        }
    }
}

#[test]
fn the_environment_sets_what_was_not_typed() {
    let variables = [
        ("BRICKWORK_THREADS", "7"),
        ("BRICKWORK_KEEP_ALIVE", "2m"),
        ("BRICKWORK_LIMIT_REQUEST_FIELD_SIZE", "4KiB"),
        ("BRICKWORK_LOG_LEVEL", "debug"),
        ("BRICKWORK_BACKLOG", ""),
    ];
    let config = parse_words(&["app", "--log-level", "error"], &variables).unwrap();
    assert_eq!(config.threads, 7);
    assert_eq!(config.deadlines.keep_alive, Duration::from_secs(120));
    assert_eq!(config.limits.field_line, 4096);
    assert_eq!(config.log_level, LogLevel::Error);
    assert_eq!(config.backlog, 2048);
}

#[test]
fn a_wrong_variable_is_named() {
    let text = usage_of(&["app"], &[("BRICKWORK_THREADS", "many")]);
    assert!(text.contains("BRICKWORK_THREADS in the environment"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn a_check_has_the_limits_of_a_server() {
    let check = |words: &[&str], variables: &[(&str, &str)]| match task_of(words, variables) {
        Ok(Task::Check(check)) => check,
        other => panic!("{words:?}: {other:?}"),
    };
    let limits = check(&["check-request", "--limit-request-line", "100", "-"], &[]).limits;
    assert_eq!(limits, Limits { request_line: 100, ..Limits::default() });
    let limits = check(&["check-request", "--json", "-"], &[("BRICKWORK_LIMIT_CONTENT", "7"), ("BRICKWORK_JSON", "x")]);
    assert_eq!((limits.limits.content, limits.format), (7, Format::Json));
    let text = usage_of(&["check-request", "--limit-request-line", "100KiB", "-"], &[]);
    assert!(text.contains("--limit-request-head"), "{text}");
}

/// Everything unset gives the table of defaults of the manual.
#[test]
fn the_defaults_are_these() {
    let config = parse_words(&["app"], &[]).unwrap();
    assert_eq!(config.binds, [Bind::Tcp { host: "127.0.0.1".into(), port: 8000 }]);
    assert_eq!((config.backlog, config.threads, config.chdir), (2048, 64, None));
    assert_eq!(config.deadlines, brickwork_server::Config::default().deadlines);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.graceful_timeout, Duration::from_secs(25));
    assert_eq!((config.spool_threshold, config.spool_memory), (2 << 20, 64 << 20));
    assert_eq!(config.spool_directory, std::env::temp_dir());
    assert_eq!((config.error_log, config.access_log), (LogTarget::Standard, LogTarget::Standard));
    assert_eq!((config.log_format, config.log_level), (LogFormat::Text, LogLevel::Info));
}

/// A default is said in a flag's text and set in `resolve.rs`: typing what the text says must change nothing.
#[test]
fn the_help_tells_the_defaults() {
    let unset = format!("{:?}", parse_words(&["app"], &[]).unwrap());
    let mut command = Command::command();
    let run = command.find_subcommand_mut("run").unwrap();
    let mut told = 0;
    for flag in run.get_arguments() {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let (Some(long), Some((_, default))) = (flag.get_long(), help.split_once("(default ")) else { continue };
        let default = default.trim_end_matches(')');
        if ["bind", "spool-dir", "workers", "forwarded-allow-ips"].contains(&long) {
            continue;
        }
        let typed = parse_words(&["app", &format!("--{long}={default}")], &[]).unwrap();
        assert_eq!(format!("{typed:?}"), unset, "--{long}");
        told += 1;
    }
    assert!(told >= 15, "only {told} defaults are told");
}

#[test]
fn workers_come_from_the_flag_or_web_concurrency() {
    let workers =
        |words: &[&str], value: &str| parse_words(words, &[("WEB_CONCURRENCY", value)]).unwrap().processes.workers;
    assert_eq!(workers(&["app"], "3"), WorkerCount::Fixed(3));
    assert_eq!(workers(&["app"], ""), WorkerCount::Fixed(1));
    assert_eq!(workers(&["app", "-w", "auto"], "3"), WorkerCount::Auto);
    assert!(usage_of(&["app"], &[("WEB_CONCURRENCY", "many")]).contains("WEB_CONCURRENCY"));
}

#[test]
fn reload_names_its_server_in_one_of_three_ways() {
    let reload = |words: &[&str]| match parse(words.iter().map(OsString::from).collect(), |_| None) {
        Ok(Task::Reload(reload)) => reload,
        other => panic!("{other:?}"),
    };
    let nobody = Which { pid: None, name: None, process: None };
    assert_eq!(reload(&["reload", "--wait"]), Reload { wait: true, which: nobody });
    assert_eq!(reload(&["reload", "--pid", "/run/a"]).which.pid, Some("/run/a".into()));
    assert_eq!(reload(&["reload", "--name", "shop"]).which.name, Some("shop".into()));
    assert_eq!(reload(&["reload", "17"]).which.process, Some(17));
}

#[test]
fn port_in_the_environment_means_every_address_except_for_the_demo() {
    let tcp = |host: &str, port| vec![Bind::Tcp { host: host.into(), port }];
    assert_eq!(parse_words(&["app"], &[("PORT", "5000")]).unwrap().binds, tcp("0.0.0.0", 5000));
    assert_eq!(parse_words(&["demo"], &[("PORT", "5000")]).unwrap().binds, tcp("127.0.0.1", 5000));
    assert!(usage_of(&["app"], &[("PORT", "http")]).contains("PORT"));
}

#[test]
fn binds_are_taken_one_by_one_from_flags_or_the_environment() {
    let addresses = |words: &[&str], variables: &[(&str, &str)]| {
        let binds = parse_words(words, variables).unwrap().binds;
        binds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let both = "127.0.0.1:0 unix:/run/a.sock";
    assert_eq!(addresses(&["app", "-b", "127.0.0.1:0", "--bind", "unix:/run/a.sock"], &[]), both);
    assert_eq!(addresses(&["app", "-b", "127.0.0.1:0", "--bind", "unix:/run/a.sock"], &[("PORT", "1")]), both);
    assert_eq!(addresses(&["app"], &[("BRICKWORK_BIND", "127.0.0.1:0,unix:/run/a.sock")]), both);
    assert_eq!(addresses(&["app", "-b", "fd://3"], &[("BRICKWORK_BIND", "127.0.0.1:1")]), "fd://3");
    assert!(usage_of(&["app", "--bind", "127.0.0.1:eighty"], &[]).contains("--bind 127.0.0.1:eighty"));
}

#[test]
fn the_demo_listens_on_loopback_only() {
    for bind in ["127.0.0.1:0", "[::1]:0", "localhost:0", "127.8.8.8:0", "unix:/run/demo.sock"] {
        assert!(parse_words(&["demo", "--bind", bind], &[]).is_ok(), "{bind}");
    }
    for bind in ["0.0.0.0:0", ":8000", "[::]:0", "192.0.2.1:0", "example.org:80", "fd://3"] {
        assert!(usage_of(&["demo", "--bind", bind], &[]).contains("loopback"), "{bind}");
    }
}

fn mounts(words: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let config = parse_words(words, variables).unwrap();
    let text = |mount: &Mount| {
        let StaticOptions { prefix, cache_control, listings, dotfiles } = &mount.options;
        format!("{prefix}={} {cache_control} {listings:?} {dotfiles:?}", mount.directory.display())
    };
    config.mounts.iter().map(text).collect()
}

#[test]
fn directories_are_served_alone_or_at_prefixes() {
    assert!(mounts(&["app"], &[]).is_empty());
    assert_eq!(mounts(&["static"], &[]), ["=. no-cache Shown Hidden"]);
    assert_eq!(mounts(&["static", "--dotfiles", "a=b"], &[]), ["=a=b no-cache Shown Served"]);
    assert_eq!(mounts(&["static"], &[("BRICKWORK_DOTFILES", "true")]), ["=. no-cache Shown Served"]);
    let two =
        ["app", "--static", "/s=a", "--static=/s/images/=b=c", "--cache-control", "max-age=60", "--dotfiles=false"];
    assert_eq!(mounts(&two, &[]), ["/s/images=b=c max-age=60 Off Hidden", "/s=a max-age=60 Off Hidden"]);
    assert_eq!(mounts(&["app"], &[("BRICKWORK_STATIC", "/s=a")]), ["/s=a no-cache Off Hidden"]);
}

#[test]
fn a_mount_needs_a_prefix_and_a_directory() {
    let rows = [
        ("/static", "such as"),
        ("static=dir", "such as"),
        ("/static=", "such as"),
        ("/=dir", "brickwork static DIR"),
        ("//=dir", "nothing"),
    ];
    for (mount, fragment) in rows {
        let text = usage_of(&["app", "--static", mount], &[]);
        assert!(text.contains(fragment), "{mount}: {text}");
    }
    assert!(usage_of(&["static", "--static", "/a=b"], &[]).contains("--static"));
    assert!(usage_of(&["static", "--sendfile-root", "/a"], &[]).contains("--sendfile-root"));
    let root = parse_words(&["app", "--sendfile-root", "/srv/media"], &[]).unwrap().sendfile_root;
    assert_eq!(root, Some("/srv/media".into()));
    assert!(usage_of(&["--threads", "1", "static"], &[]).contains("'static' comes first"));
}
