//! The classic exercise: a web server whose every page is made by one function, [`delegate`].
//!
//! `cargo run --example webserve -- 127.0.0.1 8080`, then open `http://127.0.0.1:8080/some/page?name=Ada&name=Grace`,
//! or send a form: `curl -d 'a=1&a=2' http://127.0.0.1:8080/`. An error in `delegate`, or a panic, is a 500, and the
//! server lives.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;

use brickwork_server::http::{FieldName, reason_phrase};
use brickwork_server::{Bind, Config, Content, Exchange, Handler, Listener, NoInterpreter, Server};

/// The values of each name, in the order sent.
pub type Form = BTreeMap<String, Vec<String>>;

/// Status code, fields and content of a response.
pub type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let interface = arguments.next().unwrap_or_else(|| "127.0.0.1".into());
    let port = arguments.next().map_or(Ok(8080), |port| port.parse()).map_err(io::Error::other)?;
    serve(&interface, port)
}

/// Serves on a port of an interface for good. Port 0 takes a free one; the address is printed.
pub fn serve(interface: &str, port: u16) -> io::Result<()> {
    let listener = Listener::bind(&Bind::Tcp { host: interface.into(), port }, 128)?;
    println!("listening on {}", listener.url());
    let server = Server::start(Config::default(), vec![listener], Arc::new(Webserve), Arc::new(NoInterpreter))?;
    let _ = server.join();
    Ok(())
}

/// Makes every page. `query` and `form` are what came behind the `?` and as `application/x-www-form-urlencoded`
/// content; none where there was neither.
pub fn delegate(
    method: &str,
    path: &str,
    headers: &[(String, String)],
    query: Option<&Form>,
    form: Option<&Form>,
) -> Result<Answer, Box<dyn Error>> {
    match path {
        "/error" => return Err("an error, as asked for".into()),
        "/panic" => panic!("a panic, as asked for"),
        _ => {}
    }
    let mut page = String::from("<!doctype html><meta charset=utf-8><title>webserve</title>");
    write!(page, "<h1>{} {}</h1>", escape(method), escape(path))?;
    for (title, values) in [("Query", query), ("Form", form)] {
        write!(page, "<h2>{title}</h2>")?;
        match values {
            None => page.push_str("<p>none</p>"),
            Some(values) => {
                for (name, values) in values {
                    write!(page, "<p>{} = {}</p>", escape(name), escape(&values.join(", ")))?;
                }
            }
        }
    }
    write!(page, "<h2>Fields</h2>")?;
    for (name, value) in headers {
        write!(page, "<p>{}: {}</p>", escape(name), escape(value))?;
    }
    Ok((200, vec![("Content-Type", "text/html; charset=utf-8".into())], page.into_bytes()))
}

/// Between the server's requests and [`delegate`].
pub struct Webserve;

/// A form of more bytes than this is refused.
const LARGEST_FORM: u64 = 1 << 20;

impl Handler for Webserve {
    fn handle(&self, exchange: &mut Exchange) {
        let (status, fields, content) = answer(exchange).unwrap_or_else(|error| {
            eprintln!("error: {error}");
            plain(500)
        });
        if let Err(error) = respond(exchange, status, &fields, content) {
            eprintln!("not sent: {error}");
        }
    }
}

fn answer(exchange: &mut Exchange) -> Result<Answer, Box<dyn Error>> {
    let is_form = {
        let request = exchange.request();
        let media_type = request.head.fields.iter().find(|field| field.known == FieldName::ContentType);
        media_type.is_some_and(|field| {
            let value = request.text(field.value).split(|&byte| byte == b';').next().unwrap_or_default();
            value.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        })
    };
    let mut content = Vec::new();
    if is_form {
        exchange.take_content().take(LARGEST_FORM + 1).read_to_end(&mut content)?;
        if content.len() as u64 > LARGEST_FORM {
            return Ok(plain(413));
        }
    }
    let request = exchange.request();
    let text = |span| String::from_utf8_lossy(request.text(span)).into_owned();
    let headers: Vec<_> = request.head.fields.iter().map(|field| (text(field.name), text(field.value))).collect();
    let target = request.head.target;
    let path = decode(request.text(target.path));
    let query = target.query.map(|query| parse_form(request.text(query)));
    let form = is_form.then(|| parse_form(&content));
    delegate(&text(request.head.method_span), &path, &headers, query.as_ref(), form.as_ref())
}

fn plain(status: u16) -> Answer {
    (status, vec![("Content-Type", "text/plain".into())], format!("{status} {}\n", reason_phrase(status)).into_bytes())
}

fn respond(exchange: &mut Exchange, status: u16, fields: &[(&str, String)], content: Vec<u8>) -> Result<(), String> {
    let fault = |fault| format!("{fault:?}");
    exchange.response.start(status, reason_phrase(status).as_bytes()).map_err(fault)?;
    for (name, value) in fields {
        exchange.response.field(name.as_bytes(), value.as_bytes()).map_err(fault)?;
    }
    exchange.send(Content::Owned(content)).map_err(|error| format!("{error:?}"))
}

/// Takes `a=1&b=2&a=3` apart.
pub fn parse_form(text: &[u8]) -> Form {
    let mut form = Form::new();
    for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let mut half = || decode(&halves.next().unwrap_or_default().iter().map(plus_to_space).collect::<Vec<u8>>());
        let (name, value) = (half(), half());
        form.entry(name).or_default().push(value);
    }
    form
}

fn plus_to_space(byte: &u8) -> u8 {
    if *byte == b'+' { b' ' } else { *byte }
}

/// Takes percent-encoding (RFC 3986 section 2.1) away. A percent sign without two digits stands for itself.
fn decode(text: &[u8]) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digits = (digit(text.get(at + 1)), digit(text.get(at + 2)));
        if let (b'%', (Some(high), Some(low))) = (byte, digits) {
            bytes.push((high * 16 + low) as u8);
            at += 3;
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
