//! Several events at once.

use reqwest::Method;
use serde::Deserialize;
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;
use crate::event::{EventBody, NewEvent};
use crate::problem::{Problem, ProblemBody};
use crate::request::Request;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// How many were stored.
    pub accepted: usize,
    /// How many were there already.
    pub duplicates: usize,
    /// How many were refused.
    pub rejected: usize,
    /// Each item, in the order of the batch.
    pub items: Vec<BatchItem>,
}

/// What became of one item of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchItem {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// What became of it.
    pub outcome: ItemOutcome,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// It is stored.
    Stored {
        /// Its id.
        id: Uuid,
        /// Its place in the tenant.
        sequence: u64,
    },
    /// An event of this id was stored before.
    WasThere {
        /// Its id.
        id: Uuid,
        /// The place of the one that is stored.
        sequence: u64,
    },
    /// It was refused.
    Rejected(Problem),
}

#[derive(Deserialize)]
struct OutcomeBody {
    results: Vec<ItemBody>,
}

#[derive(Deserialize)]
struct ItemBody {
    index: usize,
    status: u16,
    id: Option<Uuid>,
    sequence: Option<u64>,
    problem: Option<ProblemBody>,
}

pub(crate) async fn create(client: &Client, events: &[NewEvent]) -> Result<BatchOutcome, ClientError> {
    let bodies: Vec<EventBody<'_>> = events.iter().map(EventBody::from).collect();
    let request = Request::new(Method::POST, "/api/v1/events").json(&bodies)?;
    let OutcomeBody { results } = client.send(&request).await?.json()?;
    let read = results.into_iter().map(|item| read(item, events));
    let items: Vec<BatchItem> = read.collect::<Option<_>>().ok_or_else(misread)?;
    let is_in_order = items.iter().enumerate().all(|(place, item)| item.index == place);
    if items.len() != events.len() || !is_in_order {
        return Err(misread());
    }
    let count = |is: fn(&ItemOutcome) -> bool| items.iter().filter(|item| is(&item.outcome)).count();
    Ok(BatchOutcome {
        accepted: count(|outcome| matches!(outcome, ItemOutcome::Stored { .. })),
        duplicates: count(|outcome| matches!(outcome, ItemOutcome::WasThere { .. })),
        rejected: count(|outcome| matches!(outcome, ItemOutcome::Rejected(_))),
        items,
    })
}

/// An id that was made for this call can be there only by an attempt whose answer was lost.
fn read(item: ItemBody, events: &[NewEvent]) -> Option<BatchItem> {
    let is_own_id = events.get(item.index)?.id.is_some();
    let outcome = match (item.problem, item.id, item.sequence) {
        (Some(problem), ..) => ItemOutcome::Rejected(problem.into()),
        (None, Some(id), Some(sequence)) if item.status == 200 && is_own_id => {
            ItemOutcome::WasThere { id, sequence }
        }
        (None, Some(id), Some(sequence)) => ItemOutcome::Stored { id, sequence },
        _ => return None,
    };
    Some(BatchItem { index: item.index, outcome })
}

fn misread() -> ClientError {
    ClientError::Unexpected("it does not say of each event what became of it".to_owned())
}
