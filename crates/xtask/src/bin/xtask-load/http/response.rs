//! Reads one answer out of the bytes that a connection gave so far.

use httparse::Header;

use crate::Result;

/// An answer with more headers than this can't be read.
pub(crate) const MAX_HEADERS: usize = 32;

/// An answer, in the bytes that it came in.
#[derive(Debug)]
pub(crate) struct Response<'h, 'b> {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: &'b [u8],
    headers: &'h [Header<'b>],
}

impl<'b> Response<'_, 'b> {
    /// The value of the header of that name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&'b str> {
        let header = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    }

    /// Every header that can be read as text.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'b str, &'b str)> {
        self.headers.iter().filter_map(|header| Some((header.name, std::str::from_utf8(header.value).ok()?)))
    }

    /// The revision or version in the entity tag.
    pub(crate) fn entity_tag(&self) -> Option<u64> {
        self.header("etag")?.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
    }
}

/// How much of an answer is there.
#[derive(Debug)]
pub(crate) enum Parsed<'h, 'b> {
    /// Not all of it.
    Partial,
    /// All of it; it is `length` bytes long.
    Whole { response: Response<'h, 'b>, length: usize },
    /// Its head, which is `head_length` bytes long; the body comes in chunks.
    Chunked { response: Response<'h, 'b>, head_length: usize },
}

/// Reads the answer at the beginning of `bytes`; it must not be one to a HEAD request.
pub(crate) fn parse<'h, 'b>(bytes: &'b [u8], headers: &'h mut [Header<'b>]) -> Result<Parsed<'h, 'b>> {
    let mut head = httparse::Response::new(headers);
    let httparse::Status::Complete(head_length) = head.parse(bytes)? else { return Ok(Parsed::Partial) };
    let status = head.code.unwrap_or_default();
    let headers: &'h [Header<'b>] = head.headers;

    let mut length = 0;
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = std::str::from_utf8(header.value)?.trim().parse()?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Parsed::Chunked { response: Response { status, body: &[], headers }, head_length });
        }
    }
    let Some(body) = bytes.get(head_length..head_length + length) else { return Ok(Parsed::Partial) };
    Ok(Parsed::Whole { response: Response { status, body, headers }, length: head_length + length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_only_with_its_last_byte() {
        let bytes = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nETag: \"17\"\r\n\r\nhello";
        for length in 0..bytes.len() {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let parsed = parse(&bytes[..length], &mut headers).unwrap();
            assert!(matches!(parsed, Parsed::Partial), "{length}");
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let Parsed::Whole { response, length } = parse(bytes, &mut headers).unwrap() else { panic!() };
        assert_eq!((response.status, response.body, length), (201, &b"hello"[..], bytes.len()));
        assert_eq!((response.header("CONTENT-length"), response.entity_tag()), (Some("5"), Some(17)));
        assert_eq!(response.header("x"), None);
    }

    #[test]
    fn an_answer_without_a_body_is_whole_with_its_head() {
        let bytes = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1";
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let Parsed::Whole { response, length } = parse(bytes, &mut headers).unwrap() else { panic!() };
        assert_eq!((response.status, length), (204, bytes.len() - 8));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for bytes in [&b"HELLO\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"] {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            assert!(parse(bytes, &mut headers).is_err());
        }
    }
}
