//! Writing key-values: what the writes of a batch ask for is looked up together, carried out in memory in their
//! order, and what is to stand in the end is stored together.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use bytes::Bytes;
use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz};
use tenantry_domain::{EntryMeta, Key, Precondition, Revision, TenantNumber, Timestamp};
use tenantry_ports::{KeyValueWriteError, NewValue, PutOutcome, StorageError};

use crate::batch::{Change, WriteBatch};
use crate::counters::Counters;
use crate::error::PostgresError;
use crate::event::not_asked;
use crate::event_append::Runs;
use crate::key_value::{look_up, stored_revision};
use crate::key_value_cell::{Cell, Fate, Standing};
use crate::moment::to_moment;
use crate::pulse::Pulse;
use crate::row_place::{RowPlace, Tid};
use crate::static_query::static_query;
use crate::tenant::tenant_number;

/// How many keys one call of a function brings, and about how many bytes: a message is at most 1 GiB.
const MAX_IN_CALL: usize = 1024;
const MAX_BYTES_IN_CALL: usize = 16 * 1024 * 1024;

/// What is to be done with a key.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// See [`KeyValueRepository::put`](tenantry_ports::KeyValueRepository::put).
    Put(NewValue),
    /// See [`KeyValueRepository::delete`](tenantry_ports::KeyValueRepository::delete).
    Delete,
    /// See [`KeyValueRepository::increment`](tenantry_ports::KeyValueRepository::increment).
    Increment { by: i64, initial: Option<i64> },
    /// Removing what has ended, if it still has.
    Sweep,
}

/// What was done.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Put(PutOutcome),
    Removed(Revision),
    Incremented(PutOutcome, i64),
    /// There was nothing to sweep any more.
    Nothing,
}

impl Outcome {
    /// The answer to one who asked for something else.
    pub(crate) fn unexpected(self) -> KeyValueWriteError {
        StorageError::Failed(format!("a write was carried out as another one: {self:?}")).into()
    }
}

/// A refusal is an answer: nothing was changed, and the transaction goes on.
pub(crate) type Answer = Result<Outcome, KeyValueWriteError>;

#[derive(Debug)]
struct Staged {
    tenant: TenantNumber,
    key: Key,
    precondition: Precondition,
    operation: Operation,
}

/// Operations that are to be carried out, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct StagedWrites {
    staged: Vec<Staged>,
    answers: Vec<Option<Answer>>,
}

impl StagedWrites {
    /// Adds an operation, and says which it is. The tenant is open; to sweep, locked is enough.
    pub(crate) fn push(
        &mut self,
        tenant: TenantNumber,
        key: Key,
        precondition: Precondition,
        operation: Operation,
    ) -> usize {
        self.staged.push(Staged { tenant, key, precondition, operation });
        self.staged.len() - 1
    }

    /// What came of that operation.
    pub(crate) fn take(&mut self, place: usize) -> Answer {
        self.answers.get_mut(place).and_then(Option::take).unwrap_or_else(|| {
            Err(StorageError::Failed("a write was not carried out with its batch".to_owned()).into())
        })
    }

    pub(crate) fn clear(&mut self) {
        self.staged.clear();
        self.answers.clear();
    }

    /// Carries them all out.
    pub(crate) fn flush(
        &mut self,
        connection: &mut PgConnection,
        locked: &HashMap<TenantNumber, Counters>,
        now: Timestamp,
        pulse: &Pulse,
        changes: &mut Vec<Change>,
    ) -> Result<(), PostgresError> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let mut cells = self.load(connection, now, pulse)?;
        let mut revisions = HashMap::new();
        for Staged { tenant, key, precondition, operation } in self.staged.drain(..) {
            let cell = cells.get_mut(&(tenant, key.clone())).ok_or_else(|| lost(tenant))?;
            let counters = locked.get(&tenant).ok_or_else(|| lost(tenant))?;
            let last = revisions.entry(tenant).or_insert(counters.key_value_revision);
            let revision = stored_revision(*last + 1)?;
            let answer = cell.apply(&key, &precondition, operation, revision, now);
            if answer.as_ref().is_ok_and(|outcome| !matches!(outcome, Outcome::Nothing)) {
                *last += 1;
                let entry = cell.standing.as_ref().and_then(|standing| standing.entry.clone());
                changes.push(Change::KeyValue { tenant, key, revision, entry });
            }
            self.answers.push(Some(answer));
        }
        store(connection, &cells, &revisions, now, pulse)
    }

    /// What stands under each key, by tenant in ascending order.
    fn load(
        &self,
        connection: &mut PgConnection,
        now: Timestamp,
        pulse: &Pulse,
    ) -> Result<Cells, PostgresError> {
        let mut cells = Cells::new();
        for staged in &self.staged {
            let cell = cells.entry((staged.tenant, staged.key.clone())).or_default();
            cell.needs_value |= matches!(staged.operation, Operation::Increment { .. });
        }
        for with_values in [false, true] {
            let asked = cells.iter().filter(|(_, cell)| cell.needs_value == with_values);
            let asked: Vec<_> = asked.map(|(key, _)| key.clone()).collect();
            for call in asked.chunks(MAX_IN_CALL) {
                let keys = call.iter().map(|(tenant, key)| (*tenant, key));
                let found = look_up(connection, keys, with_values)?;
                pulse.beat();
                for found in found {
                    let key = found.key()?;
                    let meta = found.meta.into_meta(key.1.clone(), 0)?;
                    let cell = cells.get_mut(&key).ok_or_else(not_asked)?;
                    cell.place = Some(found.place);
                    cell.has_ended = !meta.is_live(now);
                    let value = found.value.map(Bytes::from);
                    cell.standing = (!cell.has_ended).then(|| Standing { meta, value, entry: None });
                }
            }
        }
        Ok(cells)
    }
}

fn lost(tenant: TenantNumber) -> PostgresError {
    PostgresError::Damaged(format!("no counters of tenant {tenant}"))
}

/// Each key that is written in the batch, and what stands under it as the operations go by.
type Cells = BTreeMap<(TenantNumber, Key), Cell>;

static_query! {
    /// Stores what is to stand under keys, and moves their tenants' counters.
    StoreKeyValues<'a> {
        "SELECT store_key_values(" tenants: Vec<i64> as Array<BigInt>,
        ", " replaced_ends: Vec<i32> as Array<Integer>,
        ", " new_ends: Vec<i32> as Array<Integer>,
        ", " ends: Vec<i32> as Array<Integer>,
        ", " last_revisions: Vec<i64> as Array<BigInt>,
        ", " now: PgTimestamp as Timestamptz,
        ", " row_places: Vec<Option<RowPlace>> as Array<Nullable<Tid>>,
        ", " keys: Vec<&'a str> as Array<Text>,
        ", " content_types: Vec<&'a str> as Array<Text>,
        ", " versions: Vec<i64> as Array<BigInt>,
        ", " revisions: Vec<i64> as Array<BigInt>,
        ", " created_ats: Vec<PgTimestamp> as Array<Timestamptz>,
        ", " expires_ats: Vec<Option<PgTimestamp>> as Array<Nullable<Timestamptz>>,
        ", " values: Vec<&'a [u8]> as Array<Binary>;
        ")"
    } -> Text
}

/// Stores what has changed, of all tenants.
fn store(
    connection: &mut PgConnection,
    cells: &Cells,
    revisions: &HashMap<TenantNumber, i64>,
    now: Timestamp,
    pulse: &Pulse,
) -> Result<(), PostgresError> {
    let mut changed: Vec<Changed<'_>> = cells
        .iter()
        .filter(|(_, cell)| cell.is_changed)
        .map(|((tenant, key), cell)| Changed { tenant: *tenant, fate: cell.fate(), key, cell })
        .collect();
    changed.sort_by_key(|changed| (changed.tenant, changed.fate));
    let mut left = &changed[..];
    while !left.is_empty() {
        let (call, rest) = left.split_at(length_of_call(left));
        left = rest;
        store_some(connection, call, revisions, now)?;
        pulse.beat();
    }
    Ok(())
}

/// A key that is to be written.
struct Changed<'a> {
    tenant: TenantNumber,
    fate: Fate,
    key: &'a Key,
    cell: &'a Cell,
}

impl Changed<'_> {
    fn meta(&self) -> Option<&EntryMeta> {
        self.cell.standing.as_ref().map(|standing| &standing.meta)
    }
}

/// Stores them in one call; they come by tenant and fate.
fn store_some(
    connection: &mut PgConnection,
    call: &[Changed<'_>],
    revisions: &HashMap<TenantNumber, i64>,
    now: Timestamp,
) -> Result<(), PostgresError> {
    let runs = Runs::of(call.iter().map(|changed| changed.tenant));
    let ends_of = |last: Fate| {
        let starts = std::iter::once(&0).chain(&runs.ends);
        let ends = starts.zip(&runs.ends).map(|(start, end)| {
            let run = &call[start.unsigned_abs() as usize..end.unsigned_abs() as usize];
            start + run.iter().take_while(|changed| changed.fate <= last).map(|_| 1).sum::<i32>()
        });
        ends.collect()
    };
    let last = |tenant: &i64| {
        TenantNumber::new(*tenant).and_then(|tenant| revisions.get(&tenant).copied()).unwrap_or_default()
    };
    let metas = || call.iter().map(Changed::meta);
    let store = StoreKeyValues {
        replaced_ends: ends_of(Fate::Replaced),
        new_ends: ends_of(Fate::New),
        last_revisions: runs.tenants.iter().map(last).collect(),
        tenants: runs.tenants,
        ends: runs.ends,
        now: to_moment(now),
        row_places: call.iter().map(|changed| changed.cell.place).collect(),
        keys: call.iter().map(|changed| changed.key.as_str()).collect(),
        content_types: metas().map(|meta| meta.map_or("", |meta| meta.content_type.as_str())).collect(),
        versions: metas().map(|meta| meta.map_or(0, |meta| meta.version.cast_signed())).collect(),
        revisions: metas().map(|meta| meta.map_or(0, |meta| meta.revision.get().cast_signed())).collect(),
        created_ats: metas().map(|meta| to_moment(meta.map_or(now, |meta| meta.created_at))).collect(),
        expires_ats: metas().map(|meta| meta.and_then(|meta| meta.expires_at).map(to_moment)).collect(),
        values: call.iter().map(|changed| changed.cell.value()).collect(),
        life: PhantomData,
    };
    store.execute(connection)?;
    Ok(())
}

/// How many of them one call brings: one at least.
fn length_of_call(left: &[Changed<'_>]) -> usize {
    let mut bytes = 0;
    let fitting = left.iter().take(MAX_IN_CALL).take_while(|changed| {
        let fits = bytes < MAX_BYTES_IN_CALL;
        bytes += changed.cell.value().len();
        fits
    });
    fitting.count().max(1)
}

static_query! {
    /// Finds what has ended, of any tenants.
    EndedKeyValues<'a> {
        "SELECT * FROM ended_key_values(" moment: PgTimestamp as Timestamptz,
        ", " max_rows: i32 as Integer;
        ")"
    } -> (BigInt, Text)
}

/// Stages the removal of what has ended: see
/// [`KeyValueRepository::remove_expired`](tenantry_ports::KeyValueRepository::remove_expired). What is somebody
/// else's at the moment is left to the next time.
pub(crate) fn remove_expired(batch: &mut WriteBatch, limit: u32) -> Result<Vec<usize>, PostgresError> {
    let moment = to_moment(batch.now());
    let max_rows = i32::try_from(limit).unwrap_or(i32::MAX);
    let ended: Vec<(i64, String)> = batch
        .run(|connection| Ok(EndedKeyValues { moment, max_rows, life: PhantomData }.load(connection)?))?;
    let ended: Vec<(TenantNumber, String)> = ended
        .into_iter()
        .map(|(number, key)| Ok((tenant_number(number)?, key)))
        .collect::<Result<_, PostgresError>>()?;
    let mut tenants: Vec<_> = ended.iter().map(|(tenant, _)| *tenant).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let locked = batch.lock_free(&tenants)?;
    let mut staged = Vec::new();
    for (tenant, key) in ended {
        if locked.contains(&tenant) {
            let key = Key::from_stored(&key);
            staged.push(batch.writes.push(tenant, key, Precondition::default(), Operation::Sweep));
        }
    }
    Ok(staged)
}
