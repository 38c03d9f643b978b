//! Activities, by time.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use serde_json::value::RawValue;
use tenantry_domain::{Email, EventDraft, NewEvent, PastEvent, Timestamp};
use uuid::Uuid;

use crate::file_error::FileError;
use crate::moment;
use crate::staging::At;
use crate::value::{Row, Value};

diesel::table! {
    staged_events (place) {
        place -> BigInt,
        line -> BigInt,
        created_at -> BigInt,
        id -> Binary,
        component -> Text,
        environment -> Text,
        message -> Text,
        email -> Nullable<Text>,
        data -> Text,
    }
}

const CREATE: &str = "CREATE TABLE staged_events (place INTEGER PRIMARY KEY, line INTEGER NOT NULL, created_at INTEGER NOT NULL, \
     id BLOB NOT NULL, component TEXT NOT NULL, environment TEXT NOT NULL, message TEXT NOT NULL, email TEXT, \
     data TEXT NOT NULL)";

/// What a row of the log is here.
pub(crate) fn parse(row: &Row<'_>) -> Result<PastEvent, String> {
    let id = id(row)?;
    let created_at = row.required("created_at")?;
    let created_at = moment::parse(created_at).ok_or_else(|| "created_at is no time".to_owned())?;
    let data: Option<&RawValue> = row
        .json("data")?
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| format!("data is not JSON: {error}"))?;
    let owned = |column| Ok::<_, String>(row.text(column)?.map(str::to_owned));
    let draft = EventDraft {
        id: Some(id),
        component: owned("component")?,
        environment: owned("environment")?,
        message: owned("message")?,
        // The service kept a missing address as NULL or as an empty text.
        email: owned("email")?.filter(|email| !email.is_empty()),
        data,
    };
    let event = NewEvent::parse(draft, || id).map_err(|violations| {
        let told = violations
            .as_slice()
            .iter()
            .map(|violation| format!("{} {}", violation.pointer.trim_start_matches('/'), violation.detail));
        told.collect::<Vec<_>>().join("; ")
    })?;
    Ok(PastEvent { event, created_at })
}

/// A UUID as text, or as 16 bytes, which SQLite files hold.
fn id(row: &Row<'_>) -> Result<Uuid, String> {
    let id = match row.value("id") {
        Value::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
        Value::Text(text) => Uuid::try_parse(text.trim()).ok(),
        Value::Null | Value::TooLong => None,
    };
    id.ok_or_else(|| "id is no UUID".to_owned())
}

pub(crate) fn create(connection: &mut SqliteConnection) -> Result<(), FileError> {
    Ok(connection.batch_execute(CREATE)?)
}

pub(crate) fn stage(connection: &mut SqliteConnection, at: At, past: &PastEvent) -> Result<(), FileError> {
    let event = &past.event;
    diesel::insert_into(staged_events::table)
        .values((
            staged_events::place.eq(at.place),
            staged_events::line.eq(at.line),
            staged_events::created_at.eq(past.created_at.as_micros()),
            staged_events::id.eq(&event.id.get().as_bytes()[..]),
            staged_events::component.eq(event.component.as_str()),
            staged_events::environment.eq(event.environment.as_str()),
            staged_events::message.eq(event.message.as_str()),
            staged_events::email.eq(event.email.as_ref().map(Email::as_str)),
            staged_events::data.eq(event.data.as_str()),
        ))
        .execute(connection)?;
    Ok(())
}

type EventRow = (i64, i64, Vec<u8>, String, String, String, Option<String>, String);

/// Each in turn, by time and then as they stood in the file, until `each` wants no more.
pub(crate) fn deliver(
    connection: &mut SqliteConnection,
    mut each: impl FnMut(i64, PastEvent) -> bool,
) -> Result<(), FileError> {
    let sorted = staged_events::table
        .select((
            staged_events::line,
            staged_events::created_at,
            staged_events::id,
            staged_events::component,
            staged_events::environment,
            staged_events::message,
            staged_events::email,
            staged_events::data,
        ))
        .order((staged_events::created_at, staged_events::place));
    for row in sorted.load_iter::<EventRow, DefaultLoadingMode>(connection)? {
        let (line, created_at, id, component, environment, message, email, data) = row?;
        let changed = || FileError::Staging("a row has changed".to_owned());
        let id = Uuid::from_slice(&id).map_err(|_| changed())?;
        let draft = EventDraft {
            id: Some(id),
            component: Some(component),
            environment: Some(environment),
            message: Some(message),
            email,
            data: Some(serde_json::from_str(&data).map_err(|_| changed())?),
        };
        let event = NewEvent::parse(draft, || id).map_err(|_| changed())?;
        if !each(line, PastEvent { event, created_at: Timestamp::from_micros(created_at) }) {
            break;
        }
    }
    Ok(())
}
