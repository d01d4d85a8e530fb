use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use super::*;

fn pair() -> (Transport, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (Transport::new(ours.into()), theirs)
}

fn temporary_file(content: &[u8]) -> std::fs::File {
    let path = std::env::temp_dir().join(format!("brickwork-send-buffer-{}-{:p}", std::process::id(), content));
    let mut file = std::fs::File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(content).unwrap();
    file
}

fn tcp_pair() -> (Transport, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    ours.set_nonblocking(true).unwrap();
    (Transport::new(ours.into()), theirs)
}

/// Everything that comes out at the other end while `buffer` is flushed to the end.
fn drain(buffer: &mut SendBuffer, transport: &Transport, mut peer: impl Read + Send + 'static) -> Vec<u8> {
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    });
    loop {
        match buffer.flush(transport) {
            Flushed::All => break,
            Flushed::Some { .. } => {
                transport.wait(crate::transport::Direction::Writable, std::time::Duration::from_secs(10));
            }
            Flushed::Yielded => {}
            Flushed::Broken => panic!("broken"),
        }
    }
    transport.shutdown_write();
    reader.join().unwrap()
}

#[test]
fn keeps_the_order_of_heads_memory_and_files_when_the_socket_is_full() {
    let (transport, peer) = pair();
    let large: Vec<u8> = (0..3_000_000u32).map(|i| i as u8).collect();
    let mut buffer = SendBuffer::default();
    let mut expected = Vec::new();
    assert_ne!(buffer.offer(&transport, b"head one", Content::Owned(large.clone()), b" end one "), Flushed::All);
    expected.extend_from_slice(b"head one");
    expected.extend_from_slice(&large);
    expected.extend_from_slice(b" end one ");
    let file = Content::File { file: temporary_file(&large).into(), offset: 10, len: 2_000_000 };
    buffer.offer(&transport, b"head two", file, b" and its end");
    expected.extend_from_slice(b"head two");
    expected.extend_from_slice(&large[10..2_000_010]);
    buffer.offer(&transport, b"head three", Content::Static(b"the end"), b"!");
    expected.extend_from_slice(b" and its endhead threethe end!");
    let received = drain(&mut buffer, &transport, peer);
    assert!(received == expected, "{} bytes received, {} expected", received.len(), expected.len());
}

#[test]
fn a_long_file_goes_in_whole_segments_and_nothing_else_does() {
    let is_corked = |transport: &Transport| rustix::net::sockopt::tcp_cork(transport.fd()).unwrap();
    let (transport, peer) = tcp_pair();
    let mut buffer = SendBuffer::default();
    let file = std::sync::Arc::new(temporary_file(&[7; 100_000]));
    buffer.offer(&transport, b"head", Content::File { file: std::sync::Arc::clone(&file), offset: 0, len: 1_000 }, b"");
    assert!(!is_corked(&transport));
    // More than the socket takes.
    for _ in 0..1000 {
        buffer.offer(
            &transport,
            b"head",
            Content::File { file: std::sync::Arc::clone(&file), offset: 0, len: 100_000 },
            b"",
        );
    }
    assert!(is_corked(&transport));
    let received = drain(&mut buffer, &transport, peer);
    assert_eq!(received.len(), 1_004 + 1000 * 100_004);
    assert!(!is_corked(&transport));
}

#[test]
fn a_file_that_ends_early_breaks_the_connection() {
    let (transport, _peer) = pair();
    let mut buffer = SendBuffer::default();
    let file = Content::File { file: temporary_file(b"short").into(), offset: 0, len: 100 };
    assert_eq!(buffer.offer(&transport, b"", file, b""), Flushed::Broken);
    assert!(buffer.is_empty());
}

#[test]
fn a_peer_that_left_is_noticed() {
    let (transport, peer) = pair();
    drop(peer);
    assert_eq!(SendBuffer::default().offer(&transport, b"x", Content::Empty, b""), Flushed::Broken);
}

#[test]
fn an_empty_offer_to_an_empty_buffer_is_done_at_once() {
    let (transport, _peer) = pair();
    assert_eq!(SendBuffer::default().offer(&transport, b"h", Content::Empty, b""), Flushed::All);
}
