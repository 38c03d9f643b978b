//! How statements find their rows, also where they were planned while there were none: connections live long, and
//! PostgreSQL learns of a new table's size after a minute at best.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

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
