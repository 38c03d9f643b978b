//! Bodies that come in chunks and are not read to their end: the request was refused before, or took too
//! long.
//!
//! actix reads what is left of such a body, to keep the connection, and sets no limit to how long that may
//! take: whoever never ends a body would keep the connection for good. But where somebody still holds the
//! body when the answer has been written, actix closes the connection. So the answer holds it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A body in chunks; nothing for a request of another kind.
pub(crate) struct ChunkedBody(Option<Rc<RefCell<Chunks>>>);

struct Chunks {
    payload: Payload,
    ended: bool,
}

impl ChunkedBody {
    /// Watches how far the request's body is read.
    pub(crate) fn watch(request: &mut ServiceRequest) -> Self {
        if !request.headers().contains_key(header::TRANSFER_ENCODING) {
            return Self(None);
        }
        let chunks = Rc::new(RefCell::new(Chunks { payload: request.take_payload(), ended: false }));
        let reader = Reader(Rc::clone(&chunks));
        request.set_payload(Payload::Stream { payload: Box::pin(reader) });
        Self(Some(chunks))
    }

    /// Lets the connection be closed behind the answer, if something of the body is left.
    pub(crate) fn close_if_unread(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        match self.0 {
            Some(chunks) if !chunks.borrow().ended => {
                response.map_body(|_, body| BoxBody::new(Holding { body, _unread: chunks }))
            }
            _ => response,
        }
    }
}

struct Reader(Rc<RefCell<Chunks>>);

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut chunks = self.0.borrow_mut();
        let next = Pin::new(&mut chunks.payload).poll_next(context);
        chunks.ended |= matches!(next, Poll::Ready(None));
        next
    }
}

struct Holding {
    body: BoxBody,
    _unread: Rc<RefCell<Chunks>>,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
