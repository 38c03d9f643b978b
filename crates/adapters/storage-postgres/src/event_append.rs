//! Appending events: what the writes of a batch bring is looked up, numbered and stored together.

use std::collections::hash_map::Entry as Place;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{Email, Event, EventId, NewEvent, Sequence, Stored, TenantNumber, Timestamp};
use uuid::Uuid;

use crate::counters::Counters;
use crate::error::PostgresError;
use crate::event::{find_all, stored_sequence};
use crate::event_data::index_document;
use crate::moment::to_moment;
use crate::pulse::Pulse;
use crate::static_query::static_query;

/// How many events one call of a function brings: the arrays are cut tenant by tenant, each cut from the start.
pub(crate) const MAX_IN_CALL: usize = 1024;

/// What became of an event, without the event itself: that stays with whoever waits.
#[derive(Debug, Clone)]
pub(crate) enum Placed {
    New(Sequence, Timestamp),
    Duplicate(Box<Event>),
}

impl Placed {
    pub(crate) fn of(self, event: NewEvent) -> Stored {
        match self {
            Self::New(sequence, created_at) => Stored::New(event.into_event(sequence, created_at)),
            Self::Duplicate(event) => Stored::Duplicate(*event),
        }
    }
}

/// A list of events that is to be stored, and of each what is to stand in the index.
///
/// That is made by whoever brings the events: a tenant has one writer, and many who wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Appended {
    pub(crate) events: Vec<NewEvent>,
    index_documents: Vec<Option<String>>,
}

impl Appended {
    pub(crate) fn new(tenant: TenantNumber, events: Vec<NewEvent>) -> Self {
        let index_documents =
            events.iter().map(|event| index_document(tenant, event.data.as_str())).collect();
        Self { events, index_documents }
    }

    fn iter(&self) -> impl Iterator<Item = (&NewEvent, Option<&str>)> {
        self.events.iter().zip(self.index_documents.iter().map(Option::as_deref))
    }
}

/// Lists of events that are to be stored, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct StagedAppends {
    lists: Vec<(TenantNumber, Arc<Appended>)>,
    placed: Vec<Vec<Placed>>,
}

impl StagedAppends {
    /// Adds a list, and says which it is. The tenant is open.
    pub(crate) fn push(&mut self, tenant: TenantNumber, events: Arc<Appended>) -> usize {
        self.lists.push((tenant, events));
        self.lists.len() - 1
    }

    /// What became of that list.
    pub(crate) fn take(&mut self, list: usize) -> Vec<Placed> {
        self.placed.get_mut(list).map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.lists.clear();
        self.placed.clear();
    }

    /// Stores them all.
    pub(crate) fn flush(
        &mut self,
        connection: &mut PgConnection,
        locked: &HashMap<TenantNumber, Counters>,
        now: Timestamp,
        pulse: &Pulse,
    ) -> Result<(), PostgresError> {
        if self.lists.is_empty() {
            return Ok(());
        }
        let mut logs = logs(&self.lists, locked, now)?;
        look_up_held(connection, &mut logs, pulse)?;
        for log in &mut logs {
            log.number()?;
        }
        store(connection, &logs, pulse)?;
        self.placed = self.lists.iter().map(|(_, list)| Vec::with_capacity(list.events.len())).collect();
        for log in logs {
            let held = log.load_held(connection, pulse)?;
            for (event, list) in log.events.iter().zip(&log.lists) {
                self.placed[*list].push(log.placed(event, &held)?);
            }
        }
        Ok(())
    }
}

/// The events by tenant, in ascending order.
fn logs<'a>(
    lists: &'a [(TenantNumber, Arc<Appended>)],
    locked: &HashMap<TenantNumber, Counters>,
    now: Timestamp,
) -> Result<Vec<Log<'a>>, PostgresError> {
    let mut logs: BTreeMap<TenantNumber, Log<'a>> = BTreeMap::new();
    for (list, (tenant, events)) in lists.iter().enumerate() {
        let log = match logs.entry(*tenant) {
            std::collections::btree_map::Entry::Occupied(log) => log.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let counters = locked.get(tenant).ok_or_else(|| not_locked(*tenant))?;
                place.insert(Log::new(*tenant, counters, now))
            }
        };
        for (event, index_document) in events.iter() {
            log.add(list, event, index_document);
        }
    }
    Ok(logs.into_values().collect())
}

fn not_locked(tenant: TenantNumber) -> PostgresError {
    PostgresError::Damaged(format!("no counters of tenant {tenant}"))
}

/// What is to be appended for one tenant, in order.
struct Log<'a> {
    tenant: TenantNumber,
    last: i64,
    created_at: Timestamp,
    events: Vec<&'a NewEvent>,
    index_documents: Vec<Option<&'a str>>,
    /// Which of the staged lists each event is from.
    lists: Vec<usize>,
    /// For each id that is brought: its first event's place in `events`.
    firsts: HashMap<Uuid, usize>,
    /// The sequence of each id, by the place of its first event, and whether it was held before.
    sequences: Vec<Option<Taken>>,
}

/// An event that is stored now.
#[derive(Clone, Copy)]
struct New<'a> {
    sequence: i64,
    event: &'a NewEvent,
    index_document: Option<&'a str>,
}

#[derive(Debug, Clone, Copy)]
enum Taken {
    Held,
    New(i64),
}

impl<'a> Log<'a> {
    fn new(tenant: TenantNumber, counters: &Counters, now: Timestamp) -> Self {
        Self {
            tenant,
            last: counters.event_sequence,
            created_at: counters.last_event_at.map_or(now, |last| last.max(now)),
            events: Vec::new(),
            index_documents: Vec::new(),
            lists: Vec::new(),
            firsts: HashMap::new(),
            sequences: Vec::new(),
        }
    }

    fn add(&mut self, list: usize, event: &'a NewEvent, index_document: Option<&'a str>) {
        if let Place::Vacant(place) = self.firsts.entry(event.id.get()) {
            place.insert(self.events.len());
        }
        self.events.push(event);
        self.index_documents.push(index_document);
        self.lists.push(list);
        self.sequences.push(None);
    }

    fn is_first(&self, place: usize) -> bool {
        self.firsts.get(&self.events[place].id.get()) == Some(&place)
    }

    /// Whether its id was made for it, so that it can't be held. (Should it be all the same, the index on ids refuses
    /// the event.)
    fn has_new_id(&self, place: usize) -> bool {
        self.events[place].has_new_id
    }

    /// Gives each new event the next sequence.
    fn number(&mut self) -> Result<(), PostgresError> {
        for place in 0..self.events.len() {
            if self.is_first(place) && self.sequences[place].is_none() {
                self.last = self.last.checked_add(1).ok_or_else(|| {
                    PostgresError::Damaged(format!("the last sequence of all in tenant {}", self.tenant))
                })?;
                self.sequences[place] = Some(Taken::New(self.last));
            }
        }
        Ok(())
    }

    /// The new events, with their sequences and what is to stand in the index.
    fn new_events(&self) -> impl Iterator<Item = New<'a>> {
        let events = self.events.iter().zip(&self.index_documents).zip(&self.sequences);
        events.filter_map(|((event, index_document), taken)| match taken {
            Some(Taken::New(sequence)) => {
                Some(New { sequence: *sequence, event, index_document: *index_document })
            }
            _ => None,
        })
    }

    /// The stored events whose ids were brought again.
    fn load_held(
        &self,
        connection: &mut PgConnection,
        pulse: &Pulse,
    ) -> Result<HashMap<EventId, Event>, PostgresError> {
        let held = self.events.iter().zip(&self.sequences);
        let ids: Vec<_> =
            held.filter(|(_, taken)| matches!(taken, Some(Taken::Held))).map(|(event, _)| event.id).collect();
        let mut found = HashMap::new();
        for ids in ids.chunks(MAX_IN_CALL) {
            let keys: Vec<_> = ids.iter().map(|id| (self.tenant, *id)).collect();
            let events = find_all(connection, &keys)?;
            pulse.beat();
            found.extend(events.into_iter().flatten().map(|event| (event.id, event)));
        }
        Ok(found)
    }

    /// What became of the event at the next place.
    fn placed(&self, event: &NewEvent, held: &HashMap<EventId, Event>) -> Result<Placed, PostgresError> {
        let first = self.firsts.get(&event.id.get()).copied();
        let taken = first.and_then(|first| self.sequences[first]);
        match (taken, first) {
            (Some(Taken::New(sequence)), Some(first)) => {
                let sequence = stored_sequence(sequence)?;
                if std::ptr::eq(self.events[first], event) {
                    return Ok(Placed::New(sequence, self.created_at));
                }
                let stored = self.events[first].clone().into_event(sequence, self.created_at);
                Ok(Placed::Duplicate(Box::new(stored)))
            }
            _ => held
                .get(&event.id)
                .map(|event| Placed::Duplicate(Box::new(event.clone())))
                .ok_or_else(|| PostgresError::Damaged(format!("no event {}, and yet its id", event.id))),
        }
    }
}

static_query! {
    /// Looks which ids are held already.
    HeldEvents<'a> {
        "SELECT * FROM held_events(" tenants: Vec<i64> as Array<BigInt>,
        ", " ends: Vec<i32> as Array<Integer>,
        ", " ids: Vec<Uuid> as Array<SqlUuid>;
        ")"
    } -> (Integer, BigInt)
}

/// Notes which of the ids their tenants have already.
fn look_up_held(
    connection: &mut PgConnection,
    logs: &mut [Log<'_>],
    pulse: &Pulse,
) -> Result<(), PostgresError> {
    let mut firsts: Vec<(usize, usize)> = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        let looked_up = (0..log.events.len()).filter(|place| log.is_first(*place) && !log.has_new_id(*place));
        firsts.extend(looked_up.map(|place| (number, place)));
    }
    for call in firsts.chunks(MAX_IN_CALL) {
        let runs = Runs::of(call.iter().map(|(log, _)| logs[*log].tenant));
        let ids = call.iter().map(|(log, place)| logs[*log].events[*place].id.get()).collect();
        let held: Vec<(i32, i64)> =
            HeldEvents { tenants: runs.tenants, ends: runs.ends, ids, life: PhantomData }.load(connection)?;
        pulse.beat();
        for (at, _) in held {
            let asked = usize::try_from(at - 1).ok().and_then(|at| call.get(at));
            let (log, place) = asked
                .ok_or_else(|| PostgresError::Damaged(format!("an id that is number {at} of those asked")))?;
            logs[*log].sequences[*place] = Some(Taken::Held);
        }
    }
    Ok(())
}

static_query! {
    /// Stores events, and moves their tenants' counters.
    StoreEvents<'a> {
        "SELECT store_events(" tenants: Vec<i64> as Array<BigInt>,
        ", " ends: Vec<i32> as Array<Integer>,
        ", " last_event_ats: Vec<PgTimestamp> as Array<Timestamptz>,
        ", " sequences: Vec<i64> as Array<BigInt>,
        ", " ids: Vec<Uuid> as Array<SqlUuid>,
        ", " components: Vec<&'a str> as Array<Text>,
        ", " environments: Vec<&'a str> as Array<Text>,
        ", " messages: Vec<&'a str> as Array<Text>,
        ", " emails: Vec<Option<&'a str>> as Array<Nullable<Text>>,
        ", " datas: Vec<&'a str> as Array<Text>,
        ", " data_indexes: Vec<Option<&'a str>> as Array<Nullable<Text>>;
        ")"
    } -> Text
}

/// Stores the new events of all tenants.
fn store(connection: &mut PgConnection, logs: &[Log<'_>], pulse: &Pulse) -> Result<(), PostgresError> {
    let all: Vec<(&Log<'_>, New<'_>)> =
        logs.iter().flat_map(|log| log.new_events().map(move |new| (log, new))).collect();
    for call in all.chunks(MAX_IN_CALL) {
        let runs = Runs::of(call.iter().map(|(log, _)| log.tenant));
        let events = || call.iter().map(|(_, new)| new.event);
        let starts = std::iter::once(0).chain(runs.ends.iter().map(|end| end.unsigned_abs() as usize));
        let last_event_ats = starts.take(runs.tenants.len()).map(|start| to_moment(call[start].0.created_at));
        let store = StoreEvents {
            last_event_ats: last_event_ats.collect(),
            tenants: runs.tenants,
            ends: runs.ends,
            sequences: call.iter().map(|(_, new)| new.sequence).collect(),
            ids: events().map(|event| event.id.get()).collect(),
            components: events().map(|event| event.component.as_str()).collect(),
            environments: events().map(|event| event.environment.as_str()).collect(),
            messages: events().map(|event| event.message.as_str()).collect(),
            emails: events().map(|event| event.email.as_ref().map(Email::as_str)).collect(),
            datas: events().map(|event| event.data.as_str()).collect(),
            data_indexes: call.iter().map(|(_, new)| new.index_document).collect(),
            life: PhantomData,
        };
        store.execute(connection)?;
        pulse.beat();
    }
    Ok(())
}

/// A list of tenants, each as often as it has items, told as each tenant once with the place where its items end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) tenants: Vec<i64>,
    pub(crate) ends: Vec<i32>,
}

impl Runs {
    pub(crate) fn of(tenants: impl Iterator<Item = TenantNumber>) -> Self {
        let mut runs = Self::default();
        for (end, tenant) in (1..).zip(tenants) {
            if runs.tenants.last() == Some(&tenant.get()) {
                runs.ends.pop();
            } else {
                runs.tenants.push(tenant.get());
            }
            runs.ends.push(end);
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_say_where_each_tenants_items_end() {
        let runs = |tenants: &[i64]| Runs::of(tenants.iter().filter_map(|number| TenantNumber::new(*number)));
        assert_eq!(runs(&[]), Runs::default());
        assert_eq!(runs(&[3, 3, 7, 9, 9, 9]), Runs { tenants: vec![3, 7, 9], ends: vec![2, 3, 6] });
    }
}
