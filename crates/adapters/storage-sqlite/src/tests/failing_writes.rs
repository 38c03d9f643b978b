//! Writes that fail in the middle, among writes that don't.

use diesel::prelude::*;
use tenantry_domain::{Key, Precondition};
use tenantry_ports::{EventRepository, KeyValueRepository, StorageError};

use super::rig::{Rig, event, value};
use crate::counters::{Counters, Which};
use crate::error::SqliteError;
use crate::schema::settings;

/// What a write does before it comes to its end.
#[derive(Clone, Copy)]
enum End {
    Error,
    Panic,
    /// An error of SQLite's: a value that the table does not take.
    Constraint,
}

/// A write that takes a sequence and a revision, stores something, and then fails.
async fn fail(rig: &Rig, end: End) -> StorageError {
    let tenant = rig.tenant;
    let write = rig.storage.write(0, (), move |(), batch| -> Result<(), SqliteError> {
        let counters = batch.counters(tenant, Which::Open)?.unwrap();
        let taken = Counters {
            event_sequence: counters.event_sequence + 1,
            key_value_revision: counters.key_value_revision + 1,
            ..counters
        };
        batch.set_counters(tenant, taken);
        diesel::insert_into(settings::table)
            .values((settings::name.eq("half"), settings::value.eq(&b"done"[..])))
            .execute(&mut batch.connection)?;
        match end {
            End::Error => Err(SqliteError::Damaged("something odd".to_owned())),
            End::Panic => panic!("a fault in the code"),
            End::Constraint => {
                diesel::sql_query("INSERT INTO settings VALUES ('x', 'no blob')")
                    .execute(&mut batch.connection)?;
                Ok(())
            }
        }
    });
    write.await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_have_no_gaps_and_nothing_half_done_stays() {
    let rig = Rig::new().await;
    for round in 0..20_u32 {
        let key = Key::new(format!("key {round}").as_bytes()).unwrap();
        let end = [End::Error, End::Panic, End::Constraint][round as usize % 3];
        let (appended, failed, put, appended_two) = tokio::join!(
            rig.storage.append(rig.tenant, vec![event("one")]),
            fail(&rig, end),
            rig.storage.put(rig.tenant, key, value(10), Precondition::default()),
            rig.storage.append(rig.tenant, vec![event("two"), event("three")]),
        );
        assert!(matches!(failed, StorageError::Failed(_)), "{failed:?}");
        assert_eq!((appended.unwrap().len(), appended_two.unwrap().len()), (1, 2));
        assert_eq!(put.unwrap().entry.meta.revision.get(), u64::from(round) + 1);
    }
    let sequences: Vec<_> = rig.events().await.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=60).collect::<Vec<_>>());
    let half = tenantry_ports::SettingRepository::find(&rig.storage, "half").await;
    assert_eq!(half, Ok(None));
}
