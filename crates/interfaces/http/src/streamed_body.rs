//! Bodies that are made while they are sent. What fails then can't be refused any more: the connection ends, and
//! the log says why.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::RequestHead;
use actix_web::web::Bytes;

use crate::request_id::RequestId;

/// Sees to it that the log hears of a failure in the middle of the answer's body, if that is made while it is sent.
pub(crate) fn watch(head: &RequestHead, id: &RequestId, answer: HttpResponse) -> HttpResponse {
    if answer.body().size() != BodySize::Stream {
        return answer;
    }
    let (id, path) = (id.clone(), head.uri.path().to_owned());
    answer.map_body(|_, body| BoxBody::new(Watched { body, id, path }))
}

struct Watched {
    body: BoxBody,
    id: RequestId,
    path: String,
}

impl MessageBody for Watched {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(context));
        if let Some(Err(error)) = &next {
            tracing::error!(
                request.id = self.id.as_str(),
                http.path = self.path,
                cause = %error,
                "an answer broke off"
            );
        }
        Poll::Ready(next)
    }
}
