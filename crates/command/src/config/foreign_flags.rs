//! Flags of other servers that people bring with them, and what to use here instead.

/// What to say about a flag of gunicorn, uWSGI or granian that Brickwork does not have.
pub(crate) fn advice(flag: &str) -> Option<&'static str> {
    TABLE.iter().find(|(flags, _)| flags.contains(&flag)).map(|&(_, advice)| advice)
}

const WORKERS: &str = "use --workers";
const ENVIRONMENT: &str = "not yet: flags and BRICKWORK_* environment variables are all there is to configure";
const PROXY: &str = "use --forwarded-allow-ips: X-Forwarded-For, -Proto and -Host, or Forwarded, are then read";
const TLS: &str = "not yet: this version speaks plain HTTP; end TLS in front of it";
const HTTP2: &str = "not yet: this version speaks HTTP/1.1 and HTTP/1.0; let a front proxy translate";
const RELOAD: &str = "use --reload";
const SERVICE: &str = "not here: this runs in the foreground; systemd or the container does the rest";
const METRICS: &str = "not yet: the access log has a line for every response";
const STATIC: &str = "use --static /prefix=DIR; --cache-control sets how long files are kept";
const APP: &str = "name the application itself: brickwork module:callable";

/// Flags of one meaning, and the advice; in the order of the peers' manuals.
const TABLE: &[(&[&str], &str)] = &[
    (&["--processes"], WORKERS),
    (&["--master", "-M"], "leave it out: there always is a supervisor"),
    (&["--workers-cheaper", "--cheaper"], "not here: TTIN and TTOU change the number of --workers"),
    (
        &["-k", "--worker-class", "--runtime-mode", "--runtime-threads", "--gevent", "--async"],
        "brickwork needs no worker class: it moves blocking requests aside by itself",
    ),
    (
        &["--worker-connections", "--backpressure"],
        "not needed: connections cost no thread; --threads bounds calls into the application",
    ),
    (&["--blocking-threads", "--enable-threads"], "use --threads"),
    (&["--harakiri"], "use --timeout"),
    (&["--http1-header-read-timeout"], "use --head-timeout"),
    (&["--http1-keep-alive", "--so-keepalive", "--http-keepalive"], "use --keep-alive TIME"),
    (&["--workers-kill-timeout", "--worker-reload-mercy"], "use --graceful-timeout"),
    (&["--workers-lifetime"], "use --max-worker-lifetime"),
    (&["--workers-max-rss", "--reload-on-rss"], "use --max-worker-rss SIZE"),
    (&["--respawn-failed-workers", "--respawn-interval"], "leave it out: a dead worker is always replaced"),
    (&["--http1-buffer-size", "--buffer-size"], "use --limit-request-head"),
    (&["--limit-post"], "use --limit-content"),
    (&["--post-buffering"], "use --spool-threshold"),
    (&["--lazy-apps", "--lazy"], "leave it out: each worker imports the application, unless --preload is given"),
    (&["--reload-engine", "--py-autoreload"], RELOAD),
    (&["--reload-paths", "--touch-reload"], "use --reload-extra-file"),
    (&["-c", "--config", "--ini", "--yaml", "--json", "--check-config", "--print-config", "--env-files"], ENVIRONMENT),
    (&["--pythonpath", "--python-path"], "use --chdir, or PYTHONPATH in the environment"),
    (&["--working-dir"], "use --chdir"),
    (&["-D", "--daemon", "--daemonize"], SERVICE),
    (&["--pidfile", "--pid-file"], "use --pid"),
    (&["--uid"], "use --user"),
    (&["--gid"], "use --group"),
    (&["--initgroups"], "leave it out: --user brings all groups of the user"),
    (&["--process-name"], "use --name"),
    (&["--reuse-port"], "not needed: all workers share the listeners of the supervisor"),
    (&["--worker-tmp-dir"], "not needed: there is no heartbeat file; --spool-dir is for large content"),
    (
        &["--access-logformat", "--access-log-fmt"],
        "not yet: the access log has the combined format, or --log-format json",
    ),
    (&["--access-log", "--no-access-log"], "the access log is on; --access-logfile none turns it off"),
    (&["--log", "--no-log", "--disable-logging"], "use --log-level and --access-logfile"),
    (&["--logto", "--logger"], "use --error-logfile and --access-logfile"),
    (
        &["--log-config", "--log-config-json", "--log-syslog", "--log-syslog-to", "--capture-output"],
        "not here: logs go to the standard streams or to files",
    ),
    (&["--statsd-host", "--statsd-prefix", "--metrics", "--metrics-port", "--stats"], METRICS),
    (
        &["--forwarder-headers", "--header-map", "--proxy-protocol", "--proxy-allow-from", "--secure-scheme-headers"],
        PROXY,
    ),
    (
        &[
            "--keyfile",
            "--certfile",
            "--ca-certs",
            "--cert-reqs",
            "--ciphers",
            "--ssl-certificate",
            "--ssl-keyfile",
            "--https",
        ],
        TLS,
    ),
    (&["--http-protocols"], HTTP2),
    (&["--root-path", "--url-path-prefix", "--mount"], "not yet: mount the application under its prefix in Python"),
    (
        &["--static-map", "--static-path-mount", "--static-path-route", "--static-path-expires", "--check-static"],
        STATIC,
    ),
    (&["--host", "--port", "--http", "--http-socket", "--uds", "-s"], "use --bind HOST:PORT or --bind unix:PATH"),
    (&["--socket", "--uwsgi-socket", "--fastcgi-socket"], "brickwork speaks HTTP, not the uwsgi protocol: use --bind"),
    (&["--listen", "-l"], "for an address use --bind, for the length of the queue --backlog"),
    (
        &["--interface"],
        "brickwork serves WSGI applications and needs no interface named; ASGI and RSGI ones it cannot serve",
    ),
    (&["--factory"], "put parentheses after the name: brickwork module:factory()"),
    (&["--paste", "--paster"], "write a module that loads the ini file, and name its callable"),
    (&["--wsgi-file", "--wsgi", "--module", "--callable", "--plugin", "--plugins", "--pyargv"], APP),
    (
        &["-H", "--virtualenv", "--venv", "--home"],
        "install brickwork in the virtual environment and use the command there",
    ),
    (
        &["--limit-request-header-size", "--max-request-header-size"],
        "use --limit-request-head or --limit-request-field_size",
    ),
    (&["--die-on-term", "--need-app", "--single-interpreter", "--vacuum"], "leave it out: it is always so here"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::{Args, Command};

    use super::*;
    use crate::config::{Raw, RawMounts};

    #[test]
    fn a_flag_is_in_the_table_once_and_not_one_of_ours() {
        let ours = RawMounts::augment_args(Raw::augment_args(Command::new("brickwork")));
        let mut seen: HashSet<String> = HashSet::new();
        for argument in ours.get_arguments() {
            seen.extend(argument.get_long_and_visible_aliases().into_iter().flatten().map(|long| format!("--{long}")));
            seen.extend(argument.get_short().map(|short| format!("-{short}")));
        }
        for flag in TABLE.iter().flat_map(|(flags, _)| *flags) {
            assert!(seen.insert((*flag).into()), "{flag} is there already");
        }
    }

    #[test]
    fn advice_is_one_line_that_names_only_flags_we_have() {
        let ours = RawMounts::augment_args(Raw::augment_args(Command::new("brickwork")));
        let longs: HashSet<&str> = ours.get_arguments().filter_map(|argument| argument.get_long()).collect();
        for (flags, advice) in TABLE {
            assert!(!advice.contains('\n'), "{flags:?}");
            for word in advice.split(|character: char| character.is_whitespace() || ";:,()".contains(character)) {
                if let Some(long) = word.strip_prefix("--") {
                    assert!(longs.contains(long), "{flags:?} advises --{long}, which does not exist");
                }
            }
        }
    }

    #[test]
    fn says_what_to_use_instead() {
        let rows = [
            ("-k", "no worker class"),
            ("--worker-class", "no worker class"),
            ("--processes", "--workers"),
            ("--pidfile", "--pid"),
            ("--http", "--bind"),
            ("--factory", "module:factory()"),
        ];
        for (flag, fragment) in rows {
            assert!(advice(flag).unwrap().contains(fragment), "{flag}");
        }
        assert_eq!(advice("--frobnicate"), None);
    }
}
