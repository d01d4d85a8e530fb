//! Serves requests on a connection of its own, with the command's reports set up, so that count.py can see which functions run:
//! accepted ones must run none of those that report.

// The command's own crate embeds Python; its reports need none of it.
#[allow(dead_code, unused_imports)]
#[path = "../../../crates/brickwork/src/report/mod.rs"]
mod report;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use brickwork_server::{Bind, Config, Content, Exchange, Handler, Listener, NoInterpreter, RejectionNotice, Server};

use crate::BROWSER;

struct Hello;

impl Handler for Hello {
    fn handle(&self, exchange: &mut Exchange) {
        if exchange.response.start(200, b"OK").is_ok() {
            // The client is this process; it stays.
            let _ = exchange.send(Content::Static(ANSWER));
        }
    }
}

const ANSWER: &[u8] = b"Hello, world!\n";

/// Has `count` requests accepted and answered, and then `refused` ones refused, each on a connection of its own.
pub(crate) fn serve(count: u32, refused: u32) -> io::Result<()> {
    let listener = Listener::bind(&Bind::Tcp { host: "127.0.0.1".into(), port: 0 }, 16)?;
    let address = listener.local_addr().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut config = Config::default();
    config.on_rejection = Some(Arc::new(|notice: &RejectionNotice<'_>| Some(report::Report::of(notice).text())));
    let server = Server::start(config, vec![listener], Arc::new(Hello), Arc::new(NoInterpreter))?;
    accepted(address, count)?;
    for _ in 0..refused {
        assert!(refusal(address)?.contains("error[BW0107]"));
    }
    server.stopper().stop_now();
    let _ = server.join(); // all is answered
    Ok(())
}

fn accepted(address: SocketAddr, count: u32) -> io::Result<()> {
    let mut client = TcpStream::connect(address)?;
    for _ in 0..count {
        client.write_all(BROWSER)?;
        let (mut answer, mut room) = (Vec::new(), [0; 1024]);
        while !answer.ends_with(ANSWER) {
            match client.read(&mut room)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => answer.extend_from_slice(&room[..len]),
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    Ok(())
}

fn refusal(address: SocketAddr) -> io::Result<String> {
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"GET / HTTP/1.1\r\nHost: www.example.com\r\nContent Length: 5\r\n\r\n")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}
