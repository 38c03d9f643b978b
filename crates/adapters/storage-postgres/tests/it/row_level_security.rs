//! The second wall between tenants: what a query sees that forgot its tenant, and who may serve at all.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tenantry_domain::TenantNumber;
use tenantry_ports::{EventRepository, KeyValueRepository};
use tenantry_storage_postgres::{OpenError, PostgresStorage, PostgresUrl, inspect, migrate};

use crate::support::{Schema, connection, event, fill, key, open, opened, tenant, url_for};

/// The tables with tenants' data.
pub(crate) const TABLES: [&str; 17] = [
    "catalogs",
    "discards",
    "events",
    "feed_rejects",
    "feed_runs",
    "feeds",
    "jobs",
    "key_values",
    "plan_contents",
    "plan_versions",
    "plans",
    "reject_texts",
    "staged_plans",
    "staged_rejects",
    "tenant_counters",
    "tenant_keys",
    "tenants",
];

/// A connection as the application has them.
fn application(schema: &Schema) -> PgConnection {
    let mut connection = connection();
    let set = format!("SET search_path = \"{}\", pg_temp; SET ROLE tenantry_application", schema.name);
    connection.batch_execute(&set).unwrap();
    connection
}

/// Two tenants with something in each table.
async fn two_tenants(schema: &Schema) -> (PostgresStorage, TenantNumber, TenantNumber) {
    let storage = open(schema).unwrap();
    let (ours, theirs) = (tenant(&storage).await, tenant(&storage).await);
    fill(&storage, ours, "ours").await;
    fill(&storage, theirs, "theirs").await;
    for tenant in [ours, theirs] {
        // What is to be discarded goes at once, so a row of it is put there by hand.
        let discard = format!("INSERT INTO \"{}\".discards VALUES ({tenant}, 999)", schema.name);
        connection().batch_execute(&discard).unwrap();
    }
    (storage, ours, theirs)
}

fn numbers(connection: &mut PgConnection, query: &str) -> Vec<i64> {
    diesel::dsl::sql::<BigInt>(query).load(connection).unwrap()
}

#[tokio::test]
async fn a_query_that_forgets_its_tenant_sees_changes_and_removes_nobody_elses_rows() {
    let schema = Schema::new();
    let (_storage, ours, theirs) = two_tenants(&schema).await;
    let mut connection = application(&schema);
    for table in TABLES {
        let about = format!("BEGIN; SELECT set_config('tenantry.tenant', '{ours}', true)");
        connection.batch_execute(&about).unwrap();
        let seen = numbers(&mut connection, &format!("SELECT tenant_number FROM {table}"));
        assert_eq!(BTreeSet::from_iter(seen), BTreeSet::from([ours.get()]), "{table}");
        if !matches!(table, "tenants" | "tenant_counters") {
            let removed = numbers(&mut connection, &format!("DELETE FROM {table} RETURNING tenant_number"));
            assert_eq!(BTreeSet::from_iter(removed), BTreeSet::from([ours.get()]), "{table}");
        }
        connection.batch_execute("COMMIT").unwrap();
        let about = format!("BEGIN; SELECT set_config('tenantry.tenant', '{theirs}', true)");
        connection.batch_execute(&about).unwrap();
        let left = numbers(&mut connection, &format!("SELECT tenant_number FROM {table}"));
        assert_eq!(BTreeSet::from_iter(left), BTreeSet::from([theirs.get()]), "{table}");
        connection.batch_execute("COMMIT").unwrap();
    }
}

#[tokio::test]
async fn a_row_of_another_tenant_cannot_be_written() {
    let schema = Schema::new();
    let (_storage, ours, theirs) = two_tenants(&schema).await;
    let mut connection = application(&schema);
    for write in [
        format!(
            "INSERT INTO events (tenant_number, sequence, id, component, environment, message, data, created_at) \
             VALUES ({theirs}, 99, gen_random_uuid(), 'c', 'e', 'm', '{{}}', now())"
        ),
        format!("INSERT INTO key_values VALUES ({theirs}, 'k', 't/t', 1, 1, now(), now(), NULL, '')"),
        format!("UPDATE key_values SET tenant_number = {theirs}"),
        format!("INSERT INTO catalogs VALUES ({theirs}, 9, 9)"),
        format!("UPDATE feeds SET tenant_number = {theirs}"),
        format!("UPDATE plans SET tenant_number = {theirs}"),
        format!("INSERT INTO tenant_keys VALUES ({theirs}, 'x', sha256(''), 'n', 's', now(), NULL, NULL)"),
    ] {
        let about = format!("BEGIN; SELECT set_config('tenantry.tenant', '{ours}', true)");
        connection.batch_execute(&about).unwrap();
        let refused = connection.batch_execute(&write).unwrap_err().to_string();
        assert!(refused.contains("row-level security"), "{write}: {refused}");
        connection.batch_execute("ROLLBACK").unwrap();
    }
}

#[tokio::test]
async fn without_a_tenant_nothing_is_seen() {
    let schema = Schema::new();
    let (_storage, ours, _) = two_tenants(&schema).await;
    let mut connection = application(&schema);
    for table in TABLES {
        assert_eq!(
            numbers(&mut connection, &format!("SELECT tenant_number FROM {table}")),
            [0_i64; 0],
            "{table}"
        );
    }
    // The setting ends with its transaction, also on a connection that others use after it.
    let about = format!("BEGIN; SELECT set_config('tenantry.tenant', '{ours}', true); COMMIT");
    connection.batch_execute(&about).unwrap();
    for table in TABLES {
        assert_eq!(
            numbers(&mut connection, &format!("SELECT tenant_number FROM {table}")),
            [0_i64; 0],
            "{table}"
        );
    }
}

#[tokio::test]
async fn the_index_of_data_leads_to_nobody_elses_events() {
    let schema = Schema::new();
    let (_storage, ours, theirs) = two_tenants(&schema).await;
    let mut connection = application(&schema);
    let candidates = |tenant: TenantNumber| {
        format!("SELECT event_candidates('{{\"{tenant}\": {{\"whose\": \"ours\"}}}}', 1, 100, true, 10)")
    };
    connection
        .batch_execute(&format!("BEGIN; SELECT set_config('tenantry.tenant', '{ours}', true)"))
        .unwrap();
    assert_eq!(numbers(&mut connection, &candidates(ours)), [1]);
    connection.batch_execute(&format!("SELECT set_config('tenantry.tenant', '{theirs}', true)")).unwrap();
    assert_eq!(numbers(&mut connection, &candidates(ours)), [0_i64; 0]);
    connection.batch_execute("SELECT set_config('tenantry.tenant', '', true)").unwrap();
    assert_eq!(numbers(&mut connection, &candidates(ours)), [0_i64; 0]);
}

#[test]
fn every_table_with_a_tenant_in_it_is_held_also_from_its_owner() {
    let schema = Schema::new();
    migrate(&schema.options()).unwrap();
    let held = format!(
        "SELECT c.relname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = '\"{}\"'::regnamespace AND c.relkind = 'r' AND a.attname = 'tenant_number' \
         AND c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1",
        schema.name
    );
    let all = held.replace("AND c.relrowsecurity AND c.relforcerowsecurity ", "");
    let mut connection = connection();
    let mut names = |query: &str| diesel::dsl::sql::<Text>(query).load::<String>(&mut connection).unwrap();
    assert_eq!(names(&all), TABLES);
    assert_eq!(names(&held), TABLES);
}

#[test]
fn the_functions_that_run_as_the_owner_are_these_with_a_fixed_path_and_for_the_application_alone() {
    let schema = Schema::new();
    migrate(&schema.options()).unwrap();
    let definers = format!(
        "SELECT proname::text FROM pg_proc WHERE pronamespace = '\"{}\"'::regnamespace AND prosecdef \
         AND EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search_path=%pg_temp') \
         AND NOT has_function_privilege('public', oid, 'EXECUTE') \
         AND proowner = 'tenantry_owner'::regrole ORDER BY 1",
        schema.name
    );
    let all = format!(
        "SELECT proname::text FROM pg_proc WHERE pronamespace = '\"{}\"'::regnamespace AND prosecdef ORDER BY 1",
        schema.name
    );
    let mut connection = connection();
    let mut names = |query: &str| diesel::dsl::sql::<Text>(query).load::<String>(&mut connection).unwrap();
    let known = [
        "due_feeds",
        "ended_key_values",
        "event_candidates",
        "find_grants",
        "has_due_job",
        "record_key_use",
        "stranded_runs",
        "take_job",
        "tenants_with_discards",
    ];
    assert_eq!(names(&all), known);
    assert_eq!(names(&definers), known);
}

#[test]
fn a_role_that_bypasses_is_refused_with_what_to_do_and_nothing_is_made() {
    let schema = Schema::new();
    let mut options = schema.options();
    options.allow_bypassing_role = false;
    let refused = opened(options.clone()).err().expect("it is refused");
    assert!(matches!(refused, OpenError::BypassingRole { .. }), "{refused}");
    let sentence = refused.to_string();
    for part in ["is a superuser", "IN ROLE tenantry_application", "postgres.allow_bypassing_role"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    assert_eq!(inspect(&options), Err(refused));
    assert_eq!(inspect(&schema.options()).unwrap().bytes, None, "there is no schema");
    migrate(&options).unwrap();
}

#[tokio::test]
async fn a_role_of_the_application_serves_what_its_owner_has_made() {
    let schema = Schema::new();
    let login = format!("{}_login", schema.name);
    let mut root = connection();
    let owner = schema.options();
    let mut options = schema.options();
    options.url = PostgresUrl::parse(&url_for(&login)).unwrap();
    options.allow_bypassing_role = false;
    migrate(&schema.options()).unwrap();
    let make = format!("CREATE ROLE \"{login}\" LOGIN PASSWORD 'for tests' IN ROLE tenantry_application");
    root.batch_execute(&make).unwrap();
    let _role = Role(login.clone());

    let storage = opened(options.clone()).unwrap();
    let tenant = tenant(&storage).await;
    storage.append(tenant, vec![event("an event", "{}")]).await.unwrap();
    assert_eq!(KeyValueRepository::find(&storage, tenant, key("k")).await, Ok(None));
    assert!(!inspect(&options).unwrap().is_served_by_bypassing_role);

    // It may not run migrations: what is missing is told.
    let forget = format!(
        "DELETE FROM \"{}\".__diesel_schema_migrations WHERE version >= '20261121000005'",
        schema.name
    );
    root.batch_execute(&forget).unwrap();
    assert!(matches!(opened(options.clone()), Err(OpenError::Behind { .. })));
    // With the owner beside it, the start does. (Here the step's table is there already: it fails as a whole.)
    options.owner_url = Some(owner.url);
    assert!(matches!(opened(options), Err(OpenError::HalfDone { .. })));
}

#[tokio::test]
async fn an_owner_of_the_tables_is_refused_and_a_stranger_is_told_what_it_lacks() {
    let schema = Schema::new();
    migrate(&schema.options()).unwrap();
    for (suffix, membership, expected) in [
        ("owner", "IN ROLE tenantry_owner, tenantry_application", "owns the tables"),
        ("stranger", "", "GRANT tenantry_application"),
    ] {
        let login = format!("{}_{suffix}", schema.name);
        connection()
            .batch_execute(&format!("CREATE ROLE \"{login}\" LOGIN PASSWORD 'for tests' {membership}"))
            .unwrap();
        let _role = Role(login.clone());
        let mut options = schema.options();
        options.url = PostgresUrl::parse(&url_for(&login)).unwrap();
        options.allow_bypassing_role = false;
        let refused = opened(options).err().expect("it is refused").to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

/// A role of a test's own, dropped with it.
struct Role(String);

impl Drop for Role {
    fn drop(&mut self) {
        let _ = connection().batch_execute(&format!("DROP ROLE \"{}\"", self.0));
    }
}
