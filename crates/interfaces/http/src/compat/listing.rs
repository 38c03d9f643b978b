//! Answers that hold everything, as the predecessors gave it: a JSON array of any length, read page by page and
//! sent as it is read, so that no more than a page is in memory.

#[cfg(test)]
mod tests;

use std::io;
use std::mem;

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use futures_util::{StreamExt as _, future, stream};
use serde::Serialize;
use tenantry_domain::{Page, PageLimit};

use crate::json;
use crate::problem::Problem;

/// How many items a page holds whose items have up to 64 KiB of JSON.
const ITEMS: u64 = 100;

/// The size of pages of tenants and events.
pub(super) fn page_limit() -> PageLimit {
    PageLimit::new(ITEMS).unwrap_or_default()
}

/// What stands before and behind the items.
pub(super) struct Frame {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

/// Some items as JSON text, and where the list goes on.
pub(super) struct Piece<P> {
    items: Vec<u8>,
    next: Option<P>,
}

impl<P> Piece<P> {
    /// No items yet; `place` is that of an item, where `page` is not the last one.
    pub(super) fn of<T>(page: &Page<T>, place: impl FnOnce(&T) -> P) -> Self {
        let next = if page.more { page.items.last().map(place) } else { None };
        Self { items: Vec::new(), next }
    }

    /// Items that are JSON text already, parted by commas.
    pub(super) fn of_text(items: Vec<u8>, next: Option<P>) -> Self {
        Self { items, next }
    }

    /// Adds an item.
    pub(super) fn push<T: Serialize>(&mut self, item: &T) -> Result<(), Problem> {
        if !self.items.is_empty() {
            self.items.push(b',');
        }
        serde_json::to_writer(&mut self.items, item).map_err(|error| Problem::internal(error.to_string()))
    }
}

/// Answers with all that `read` gives, which is told where to begin. What fails at once is refused; what fails
/// later ends the connection in the middle of the body, so that nobody takes a part for the whole.
pub(super) async fn answer<P, F, R>(
    head: &RequestHead,
    frame: Frame,
    mut read: F,
) -> Result<HttpResponse, Problem>
where
    P: 'static,
    F: FnMut(Option<P>) -> R + 'static,
    R: Future<Output = Result<Piece<P>, Problem>> + 'static,
{
    let Piece { items, next } = read(None).await?;
    let has_items = !items.is_empty();
    let mut text = frame.before.as_bytes().to_vec();
    text.extend(items);
    let mut answer = json::builder(StatusCode::OK);
    let Some(next) = next else {
        text.extend(frame.after.as_bytes());
        return Ok(answer.body(text));
    };
    if head.method == Method::HEAD {
        return Ok(answer.streaming(stream::empty::<Result<Bytes, io::Error>>()));
    }
    let rest = Rest { read, next: Some(next), has_items, after: frame.after };
    let rest = stream::try_unfold(rest, |mut rest| async move {
        Ok(rest.next().await?.map(|text| (Bytes::from(text), rest)))
    });
    let beginning = stream::once(future::ready(Ok::<_, io::Error>(Bytes::from(text))));
    Ok(answer.streaming(beginning.chain(rest)))
}

/// What is still to be read.
struct Rest<P, F> {
    read: F,
    next: Option<P>,
    /// Whether an item was written already.
    has_items: bool,
    after: &'static str,
}

impl<P, F, R> Rest<P, F>
where
    F: FnMut(Option<P>) -> R,
    R: Future<Output = Result<Piece<P>, Problem>>,
{
    /// The next part of the text; nothing behind the last.
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(place) = self.next.take() else { return Ok(None) };
        let Piece { items, next } = (self.read)(Some(place)).await.map_err(|problem| {
            io::Error::other(format!("{problem}: {}", problem.cause.as_deref().unwrap_or_default()))
        })?;
        let mut text = Vec::with_capacity(items.len() + self.after.len() + 1);
        if !items.is_empty() && mem::replace(&mut self.has_items, true) {
            text.push(b',');
        }
        text.extend(items);
        if next.is_none() {
            text.extend(self.after.as_bytes());
        }
        self.next = next;
        Ok(Some(text))
    }
}
