use super::*;

async fn read(bytes: &[u8]) -> Result<Reply, ClientError> {
    reply::read(&mut BufReader::new(bytes)).await
}

fn value(data: &'static [u8], cas: u64) -> Reply {
    Reply::Value { data: Bytes::from_static(data), cas }
}

#[tokio::test]
async fn each_answer_is_read() {
    for (bytes, reply) in [
        (&b"VA 3 c7\r\na\r\n\r\n"[..], value(b"a\r\n", 7)),
        (b"VA 0 f0 c18446744073709551615\r\n\r\n", value(b"", u64::MAX)),
        (b"EN\r\n", Reply::Missing),
        (b"HD\r\n", Reply::Done),
        (b"HD c7\r\n", Reply::Done),
        (b"STORED\r\n", Reply::Done),
        (b"NS\r\n", Reply::NotStored),
        (b"EX\r\n", Reply::Exists),
        (b"NF\r\n", Reply::NotFound),
    ] {
        assert_eq!(read(bytes).await, Ok(reply));
    }
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_good() {
    let refused = ClientError::Refused("object too large for cache".to_owned());
    assert_eq!(read(b"SERVER_ERROR object too large for cache\r\n").await, Err(refused));
}

#[tokio::test]
async fn anything_else_means_that_the_connection_is_lost() {
    let long = vec![b'x'; 3_000];
    for bytes in [
        &b""[..],
        b"HD",
        b"HD\n",
        b"ERROR\r\n",
        b"CLIENT_ERROR bad data chunk\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"VA\r\n",
        b"VA 3\r\nabc\r\n",
        b"VA x c7\r\n",
        b"VA 3 c7\r\nab",
        b"VA 3 c7\r\nabcd\r\n",
        b"VA 99999999999 c7\r\n",
        b"VA -1 c7\r\n",
        b"\xff\r\n",
        &long,
    ] {
        let answer = read(bytes).await;
        assert!(matches!(answer, Err(ClientError::Lost(_))), "{bytes:?}: {answer:?}");
    }
}
