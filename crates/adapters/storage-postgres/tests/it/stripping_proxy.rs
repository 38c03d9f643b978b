//! A proxy before the tests' server that takes the tenants' conditions out of what the adapter sends.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::proxy::{connect_upstream, url_through};
use crate::row_level_security::TABLES;
use crate::stripping::{Form, shape, strip, touches};

/// The codes of start-up messages that another one follows ("Message Formats" in PostgreSQL's documentation):
/// `SSLRequest` and `GSSENCRequest`.
const ENCRYPTION: [[u8; 4]; 2] = [80_877_103_u32.to_be_bytes(), 80_877_104_u32.to_be_bytes()];

/// What came by.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How many conditions were taken out, by form.
    pub(crate) forms: BTreeMap<Form, usize>,
    /// The statements out of which any was.
    pub(crate) stripped: BTreeSet<String>,
    /// Statements with a condition in no known form, or without one where a tenant's rows are.
    pub(crate) odd: BTreeSet<String>,
}

/// The proxy, on a port of its own, until the program ends.
pub(crate) struct StrippingProxy {
    address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl StrippingProxy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&proxy.seen);
        thread::spawn(move || {
            for client in listener.incoming() {
                accept(client.unwrap(), &seen).unwrap();
            }
        });
        proxy
    }

    /// The tests' server as it is reached through the proxy.
    pub(crate) fn url(&self) -> String {
        url_through(self.address)
    }
}

fn accept(client: TcpStream, seen: &Arc<Mutex<Seen>>) -> io::Result<()> {
    let Ok(server) = connect_upstream() else { return Ok(()) };
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut answers, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let seen = Arc::clone(seen);
    thread::spawn(move || {
        // It ends as either side does; the other is told.
        let _ = hand_on(&client, &server, &seen);
        let _ = server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// Hands on what the adapter says, message by message.
fn hand_on(client: &TcpStream, server: &TcpStream, seen: &Mutex<Seen>) -> io::Result<()> {
    let (mut client, mut server) = (BufReader::new(client), BufWriter::new(server));
    loop {
        let body = read_body(&mut client)?;
        write_body(&mut server, &body)?;
        server.flush()?;
        if !ENCRYPTION.iter().any(|code| body.starts_with(code)) {
            break;
        }
    }
    loop {
        let mut kind = [0];
        client.read_exact(&mut kind)?;
        let body = read_body(&mut client)?;
        server.write_all(&kind)?;
        match kind {
            [b'Q'] => write_body(&mut server, &without_conditions(&body, 0, seen))?,
            // A name stands before the query.
            [b'P'] => write_body(&mut server, &without_conditions(&body, 1, seen))?,
            _ => write_body(&mut server, &body)?,
        }
        if client.buffer().is_empty() {
            server.flush()?;
        }
    }
}

/// What follows a length that counts itself.
fn read_body(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - length.len()];
    from.read_exact(&mut body)?;
    Ok(body)
}

fn write_body(to: &mut impl Write, body: &[u8]) -> io::Result<()> {
    to.write_all(&u32::try_from(body.len() + 4).unwrap().to_be_bytes())?;
    to.write_all(body)
}

/// A message whose query is the text at that place, each of which ends with a zero.
fn without_conditions(body: &[u8], place: usize, seen: &Mutex<Seen>) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = body.splitn(place + 2, |byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let query = String::from_utf8(std::mem::take(&mut parts[place])).unwrap();
    let stripped = strip(&query);
    let mut seen = seen.lock().unwrap();
    // The registry is no tenant's.
    let mut of_tenants = TABLES.iter().filter(|table| **table != "tenants");
    let is_blind = stripped.taken.is_empty() && of_tenants.any(|table| touches(&query, table));
    if stripped.is_rest || is_blind {
        seen.odd.insert(shape(&query));
    }
    if !stripped.taken.is_empty() {
        seen.stripped.insert(shape(&query));
    }
    for form in stripped.taken {
        *seen.forms.entry(form).or_default() += 1;
    }
    parts[place] = stripped.text.into_bytes();
    parts.join(&0)
}
