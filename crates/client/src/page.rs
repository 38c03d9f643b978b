//! Lists: page by page, or as a stream.

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::ClientError;
use crate::request::Request;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Leads to the next page, where there is one; good for this list alone: the same tenant, filters and order.
    pub next_cursor: Option<String>,
}

/// Every item of a list, in its order. The next page is asked for when the one before is used up; dropping the stream
/// ends that. After an error it ends.
pub type ItemStream<T> = BoxStream<'static, Result<T, ClientError>>;

/// The body of a page as it is sent.
pub(crate) trait ListBody: DeserializeOwned {
    type Item: Send + 'static;

    fn into_page(self) -> Page<Self::Item>;
}

/// Which list.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
}

impl Client {
    pub(crate) async fn page<B: ListBody>(
        &self,
        list: &List,
        cursor: Option<&str>,
    ) -> Result<Page<B::Item>, ClientError> {
        let mut request = Request::get(&list.path);
        request.query.clone_from(&list.query);
        request.query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let page = self.send(&request).await?.json::<B>()?.into_page();
        if page.next_cursor.is_some() && page.next_cursor.as_deref() == cursor {
            return Err(ClientError::Unexpected("a page leads to itself".to_owned()));
        }
        Ok(page)
    }

    pub(crate) fn items<B: ListBody>(&self, list: List) -> ItemStream<B::Item> {
        let client = self.clone();
        let pages = stream::try_unfold(Place::First, move |place| {
            let (client, list) = (client.clone(), list.clone());
            async move {
                let cursor = match place {
                    Place::First => None,
                    Place::At(cursor) => Some(cursor),
                    Place::End => return Ok::<_, ClientError>(None),
                };
                let page = client.page::<B>(&list, cursor.as_deref()).await?;
                Ok(Some((page.items, page.next_cursor.map_or(Place::End, Place::At))))
            }
        });
        pages.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten().boxed()
    }
}

/// Where in its list a stream is.
enum Place {
    First,
    At(String),
    End,
}
