//! Answers of a provider that means ill.

use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::answer::status;
use super::encoding::{Body, Chunked};
use crate::Result;

/// What a hostile provider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hostility {
    /// A feed that does not end.
    Endless,
    /// Elements that mean nothing, without an end.
    EmptyElements,
    /// Streams of gzip that hold nothing, one behind another without an end.
    EmptyMembers,
    /// Headers that do not end.
    EndlessHeaders,
    /// Little that becomes much by gzip.
    GzipBomb,
    /// Little that becomes much by Brotli.
    BrotliBomb,
    /// Much, for a window of 1 GiB, which Brotli by itself does not have.
    BrotliWindow,
    /// Entities made of entities, ten levels deep.
    EntityBomb,
    /// Elements within elements without an end.
    Depth,
    /// One tag without an end.
    EndlessTag,
    /// A redirect to this provider's own port by the loopback address, and to a cloud's metadata beyond.
    RedirectLoopback,
    /// A redirect to itself.
    RedirectLoop,
    /// A page for people, with status 200.
    WrongType,
    /// Bytes without meaning.
    Noise,
    /// One byte a second.
    Drip,
    /// Nothing at all.
    Silent,
}

impl Hostility {
    pub(crate) const ALL: [Self; 16] = [
        Self::Endless,
        Self::EmptyElements,
        Self::EmptyMembers,
        Self::EndlessHeaders,
        Self::GzipBomb,
        Self::BrotliBomb,
        Self::BrotliWindow,
        Self::EntityBomb,
        Self::Depth,
        Self::EndlessTag,
        Self::RedirectLoopback,
        Self::RedirectLoop,
        Self::WrongType,
        Self::Noise,
        Self::Drip,
        Self::Silent,
    ];

    /// Its name in a URL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Endless => "endless",
            Self::EmptyElements => "empty-elements",
            Self::EmptyMembers => "empty-members",
            Self::EndlessHeaders => "endless-headers",
            Self::GzipBomb => "gzip-bomb",
            Self::BrotliBomb => "brotli-bomb",
            Self::BrotliWindow => "brotli-window",
            Self::EntityBomb => "entity-bomb",
            Self::Depth => "depth",
            Self::EndlessTag => "endless-tag",
            Self::RedirectLoopback => "redirect-loopback",
            Self::RedirectLoop => "redirect-loop",
            Self::WrongType => "wrong-type",
            Self::Noise => "noise",
            Self::Drip => "drip",
            Self::Silent => "silent",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hostility| hostility.name() == name)
    }

    /// Answers so. It ends when whoever asked has had enough.
    pub(super) fn answer(self, mut to: TcpStream, own: SocketAddr) -> Result<()> {
        let ok = |to: &mut TcpStream, headers: &str| {
            write!(
                to,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/xml\r\n{headers}\r\n"
            )
        };
        match self {
            Self::Endless => {
                ok(&mut to, "")?;
                to.write_all(b"<planList><output>")?;
                repeat(&mut to, b"<!-- and so on -->\n")
            }
            Self::EmptyElements => {
                ok(&mut to, "")?;
                to.write_all(b"<planList><output>")?;
                repeat(&mut to, b"<a/>")
            }
            Self::EmptyMembers => {
                ok(&mut to, "Content-Encoding: gzip\r\n")?;
                let member = GzEncoder::new(Vec::new(), Compression::fast()).finish()?;
                repeat(&mut to, &member)
            }
            Self::EndlessHeaders => {
                to.write_all(b"HTTP/1.1 200 OK\r\n")?;
                repeat(&mut to, b"X-More: and so on\r\n")
            }
            Self::GzipBomb | Self::BrotliBomb => {
                let coding = if self == Self::GzipBomb { "gzip" } else { "br" };
                ok(&mut to, &format!("Content-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n"))?;
                let mut body = Body::new(coding, to);
                body.write_all(b"<planList><output>")?;
                repeat(&mut body, format!("<!--{}-->", " ".repeat(60_000)).as_bytes())
            }
            Self::BrotliWindow => {
                ok(&mut to, "Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n")?;
                let params =
                    BrotliEncoderParams { quality: 1, lgwin: 30, large_window: true, ..Default::default() };
                let mut body = CompressorWriter::with_params(Chunked::new(to), 4096, &params);
                body.write_all(b"<planList><output>")?;
                repeat(&mut body, format!("<!--{}-->", " ".repeat(60_000)).as_bytes())
            }
            Self::EntityBomb => {
                ok(&mut to, "")?;
                to.write_all(entity_bomb().as_bytes())?;
                Ok(())
            }
            Self::Depth => {
                ok(&mut to, "")?;
                to.write_all(b"<planList>")?;
                repeat(&mut to, b"<a>")
            }
            Self::EndlessTag => {
                ok(&mut to, "")?;
                to.write_all(b"<planList ")?;
                repeat(&mut to, b"a='b' ")
            }
            Self::RedirectLoopback => {
                let port = own.port();
                // As an IPv4 address within an IPv6 one, so that a look at its text is not enough.
                status(to, "302 Found", &format!("Location: http://[::ffff:127.0.0.1]:{port}/feed\r\n"))
            }
            Self::RedirectLoop => status(to, "302 Found", "Location: /hostile/redirect-loop\r\n"),
            Self::WrongType => {
                let page = "<!-- an error page --><html><body><h1>503</h1></body></html>";
                write!(
                    to,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
                    page.len()
                )?;
                Ok(())
            }
            Self::Noise => {
                ok(&mut to, "")?;
                let mut random = xtask::random::Random::new(1);
                loop {
                    to.write_all(&random.number().to_le_bytes())?;
                }
            }
            Self::Drip => {
                ok(&mut to, "")?;
                loop {
                    to.write_all(b" ")?;
                    sleep(Duration::from_secs(1));
                }
            }
            Self::Silent => {
                to.set_read_timeout(None)?;
                // Until the other side closes.
                let _ = to.read(&mut [0])?;
                Ok(())
            }
        }
    }
}

/// Writes it again and again.
fn repeat(to: &mut impl Write, bytes: &[u8]) -> Result<()> {
    let many = bytes.repeat(1 + 8192 / bytes.len());
    loop {
        to.write_all(&many)?;
    }
}

/// "A billion laughs".
fn entity_bomb() -> String {
    let entity = |level: u32| match level {
        0 => "<!ENTITY lol0 \"lol\">".to_owned(),
        _ => format!("<!ENTITY lol{level} \"{}\">", format!("&lol{};", level - 1).repeat(10)),
    };
    let entities: String = (0..10).map(entity).collect();
    format!(
        "<?xml version=\"1.0\"?><!DOCTYPE planList [{entities}]><planList><output>&lol9;</output></planList>"
    )
}

#[test]
fn each_hostility_is_found_by_its_name() {
    for hostility in Hostility::ALL {
        assert_eq!(Hostility::of_name(hostility.name()), Some(hostility));
    }
}
