//! How statements find their rows, also where they were planned while there were none: connections live long, and
//! PostgreSQL learns of a new table's size after a minute at best.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};

use crate::support::{Schema, connection, open, tenant};

/// Rows of events that were fetched by way of an index in the transaction that is under way.
fn fetched(connection: &mut PgConnection, schema: &Schema) -> i64 {
    let counted = format!(
        "SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = '\"{}\".events'::regclass",
        schema.name
    );
    diesel::select(diesel::dsl::sql::<BigInt>(&format!("({counted})"))).get_result(connection).unwrap()
}

#[tokio::test]
async fn looking_for_ids_reads_no_other_events_of_the_tenant_also_where_it_was_planned_without_any() {
    let schema = Schema::new();
    let storage = open(&schema).unwrap();
    let ours = tenant(&storage).await;
    let mut connection = connection();
    let look = format!(
        "SELECT count(*) FROM held_events(ARRAY[{ours}], ARRAY[2], ARRAY[gen_random_uuid(), gen_random_uuid()])"
    );
    connection
        .batch_execute(&format!(
            "SET search_path = \"{}\", pg_temp; SET ROLE tenantry_application;
             SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
             BEGIN; {look};
             SELECT set_config('tenantry.tenant', '{ours}', true);
             INSERT INTO events (tenant_number, sequence, id, component, environment, message, data, created_at)
             SELECT {ours}, n, gen_random_uuid(), 'component', 'test', 'message', '{{}}', now()
             FROM generate_series(1, 1000) AS n",
            schema.name
        ))
        .unwrap();
    let before = fetched(&mut connection, &schema);
    connection.batch_execute(&look).unwrap();
    assert_eq!(fetched(&mut connection, &schema) - before, 0);
}

/// Rows of key-values that were read, by way of an index or one after the other, in the transaction that is under way.
fn read_key_values(connection: &mut PgConnection, schema: &Schema) -> i64 {
    let counted = format!(
        "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_xact_user_tables \
         WHERE relid = '\"{}\".key_values'::regclass",
        schema.name
    );
    diesel::select(diesel::dsl::sql::<BigInt>(&format!("({counted})"))).get_result(connection).unwrap()
}

#[tokio::test]
async fn a_key_is_found_and_replaced_without_reading_others_also_where_it_was_planned_without_any() {
    let schema = Schema::new();
    let storage = open(&schema).unwrap();
    let ours = tenant(&storage).await;
    let mut connection = connection();
    let look = format!("FROM find_key_values(ARRAY[{ours}], ARRAY[1], ARRAY['1'], true)");
    let replace = format!(
        "SELECT store_key_values(ARRAY[{ours}], ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[1]::bigint[], now(), \
         ARRAY[(SELECT row_place {look})], ARRAY['1'], ARRAY['text/plain'], ARRAY[2]::bigint[], \
         ARRAY[2]::bigint[], ARRAY[now()], ARRAY[NULL]::timestamptz[], ARRAY['new']::bytea[])"
    );
    connection
        .batch_execute(&format!(
            "SET search_path = \"{}\", pg_temp; SET ROLE tenantry_application;
             SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
             BEGIN; SELECT count(*) {look};
             SAVEPOINT planned;",
            schema.name
        ))
        .unwrap();
    let misplaced = connection.batch_execute(&replace).unwrap_err().to_string();
    assert!(misplaced.contains("only 0 stand where they were found"), "{misplaced}");
    connection
        .batch_execute(&format!(
            "ROLLBACK TO planned;
             SELECT set_config('tenantry.tenant', '{ours}', true);
             INSERT INTO key_values (tenant_number, key, content_type, version, revision, created_at, updated_at, value)
             SELECT {ours}, n::text, 'text/plain', 1, 1, now(), now(), 'old' FROM generate_series(1, 1000) AS n"
        ))
        .unwrap();
    // Planned while there were none, and again while it is not known how many there are.
    for plans in ["SELECT", "DISCARD PLANS"] {
        connection.batch_execute(plans).unwrap();
        let before = read_key_values(&mut connection, &schema);
        connection.batch_execute(&replace).unwrap();
        assert_eq!(read_key_values(&mut connection, &schema) - before, 1, "it was looked up: {plans}");
    }
    let found = diesel::dsl::sql::<Binary>(&format!("SELECT value {look}"));
    assert_eq!(found.get_result::<Vec<u8>>(&mut connection).unwrap(), b"new");
}
