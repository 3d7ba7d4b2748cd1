//! A tiny DNS server on loopback, for tests: records by name and type, and the ways in which a server fails.
//!
//! It reads and writes the wire form of RFC 1035 by hand, so that it shares nothing with the client.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is answered about a name.
#[allow(dead_code, reason = "each test binary uses its own part")]
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// These records: preference and host. None: the name is there and has no MX record.
    Records(Vec<(u16, &'static str)>),
    /// These records, which fit no datagram: over UDP the answer is only marked as cut off.
    OverTcp(Vec<(u16, &'static str)>),
    /// The name is another one's alias, and these are the records there.
    Alias(&'static str, Vec<(u16, &'static str)>),
    /// These records of any kind; what is not of the kind that was asked for is left out, unless it is an alias.
    Of(Vec<Line>),
    /// An error code: 2 is SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
    Code(u8),
    /// Nothing at all.
    Silence,
}

/// A record of any kind: its type, its data in wire form, and how many seconds it may be kept.
#[allow(dead_code, reason = "each test binary uses its own part")]
#[derive(Clone, Debug)]
pub(crate) struct Line {
    kind: u16,
    data: Vec<u8>,
    ttl: u32,
}

#[allow(dead_code, reason = "each test binary uses its own part")]
impl Line {
    /// A mail server.
    pub(crate) fn mx(preference: u16, host: &str) -> Line {
        Line { kind: 15, data: [preference.to_be_bytes().to_vec(), wire(host)].concat(), ttl: 3600 }
    }

    /// A text, in parts of at most 255 bytes.
    pub(crate) fn txt(text: &str) -> Line {
        let part = |part: &[u8]| [&[u8::try_from(part.len()).unwrap_or_default()], part].concat();
        Line { kind: 16, data: text.as_bytes().chunks(255).flat_map(part).collect(), ttl: 3600 }
    }

    /// An alias.
    pub(crate) fn cname(target: &str) -> Line {
        Line { kind: 5, data: wire(target), ttl: 3600 }
    }

    /// A server of the zone.
    pub(crate) fn ns(host: &str) -> Line {
        Line { kind: 2, data: wire(host), ttl: 3600 }
    }

    /// An IPv4 address.
    pub(crate) fn a(address: [u8; 4]) -> Line {
        Line { kind: 1, data: address.to_vec(), ttl: 3600 }
    }

    /// A certificate of a mail server.
    pub(crate) fn tlsa(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Line {
        Line { kind: 52, data: [&[usage, selector, matching], data].concat(), ttl: 3600 }
    }

    /// The same record with another time to live.
    pub(crate) fn kept(self, ttl: u32) -> Line {
        Line { ttl, ..self }
    }
}

/// A running server. Dropping it ends its threads.
pub(crate) struct Server {
    /// Where it listens, over UDP and TCP.
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

type Script = dyn Fn(&str, u16) -> Said + Send + Sync;

#[allow(dead_code, reason = "each test binary uses its own part")]
impl Server {
    /// Answers every question by a script, which is given the name in lower case without the last dot.
    pub(crate) fn start(script: impl Fn(&str) -> Said + Send + Sync + 'static) -> Server {
        Server::start_of_kinds(move |name, _| script(name))
    }

    /// The same; the script is given the type of the records that are asked for, too.
    pub(crate) fn start_of_kinds(script: impl Fn(&str, u16) -> Said + Send + Sync + 'static) -> Server {
        let script: Arc<Script> = Arc::new(script);
        let stop = Arc::new(AtomicBool::new(false));
        let (datagrams, streams) = sockets();
        let address = datagrams.local_addr().expect("an address");
        let tick = Duration::from_millis(20);
        datagrams.set_read_timeout(Some(tick)).expect("a time limit");
        streams.set_nonblocking(true).expect("a listener that does not wait");
        let over_udp = {
            let (script, stop) = (Arc::clone(&script), Arc::clone(&stop));
            move || {
                let mut packet = [0; 2048];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((length, from)) = datagrams.recv_from(&mut packet) else { continue };
                    if let Some(answer) = answer(&packet[..length], &*script, false) {
                        let _ = datagrams.send_to(&answer, from);
                    }
                }
            }
        };
        let over_tcp = {
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(Ordering::Relaxed) {
                    match streams.accept() {
                        Ok((stream, _)) => serve(&stream, &*script).unwrap_or_default(),
                        Err(_) => std::thread::sleep(tick),
                    }
                }
            }
        };
        Server { address, stop, threads: vec![std::thread::spawn(over_udp), std::thread::spawn(over_tcp)] }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Two sockets with the same port.
fn sockets() -> (UdpSocket, std::net::TcpListener) {
    for _ in 0..50 {
        let streams = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        if let Ok(datagrams) = UdpSocket::bind(streams.local_addr().expect("an address")) {
            return (datagrams, streams);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

fn serve(mut stream: &std::net::TcpStream, script: &Script) -> std::io::Result<()> {
    use std::io::{Read, Write};
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut query)?;
    if let Some(answer) = answer(&query, script, true) {
        stream.write_all(&u16::try_from(answer.len()).unwrap_or_default().to_be_bytes())?;
        stream.write_all(&answer)?;
    }
    Ok(())
}

fn answer(query: &[u8], script: &Script, is_stream: bool) -> Option<Vec<u8>> {
    let mut name = String::new();
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(std::str::from_utf8(query.get(at..at + length)?).ok()?);
        at += length;
    }
    let question = query.get(12..at + 4)?;
    let asked = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let mut lines: Vec<Line> = Vec::new();
    let (mut cut_off, mut code, mut alias, mut records) = (false, 0, None, Vec::new());
    match script(&name.to_lowercase(), asked) {
        Said::Silence => return None,
        Said::Code(of) => code = of,
        Said::Records(of) => records = of,
        Said::Of(of) => lines = of.into_iter().filter(|line| line.kind == asked || line.kind == 5).collect(),
        Said::OverTcp(of) if is_stream => records = of,
        Said::OverTcp(_) => cut_off = true,
        Said::Alias(target, of) => (alias, records) = (Some(target), of),
    }
    let count = u16::try_from(records.len() + lines.len() + usize::from(alias.is_some())).ok()?;
    let mut answer = query.get(..2)?.to_vec();
    // An answer, recursion desired and available.
    answer.extend([0x81 | if cut_off { 2 } else { 0 }, 0x80 | code]);
    answer.extend([0, 1]);
    answer.extend(count.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(question);
    let mut owner = wire(&name);
    for line in lines {
        record_of(&mut answer, &owner, line.kind, line.ttl, &line.data);
    }
    if let Some(target) = alias {
        let target = wire(target);
        record(&mut answer, &owner, 5, &target);
        owner = target;
    }
    for (preference, host) in records {
        record(&mut answer, &owner, 15, &[preference.to_be_bytes().to_vec(), wire(host)].concat());
    }
    Some(answer)
}

fn record(answer: &mut Vec<u8>, owner: &[u8], kind: u8, data: &[u8]) {
    record_of(answer, owner, kind.into(), 3600, data);
}

fn record_of(answer: &mut Vec<u8>, owner: &[u8], kind: u16, ttl: u32, data: &[u8]) {
    answer.extend(owner);
    answer.extend(kind.to_be_bytes());
    answer.extend([0, 1]);
    answer.extend(ttl.to_be_bytes());
    answer.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    answer.extend(data);
}

fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap_or_default());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
