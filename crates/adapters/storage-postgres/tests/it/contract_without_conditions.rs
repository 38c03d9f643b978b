//! The storage contract, and that of job queues, with the tenants' conditions taken out: of the schema's functions, and
//! on its way of whatever the adapter sends. What is left between one tenant and the next is Row-Level Security, and
//! nobody sees another's rows.

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_domain::PageLimit;
use tenantry_ports::{Clock, CommitListener, FeedRepository};
use tenantry_queue_contract::{OpenWorker, Queue};
use tenantry_storage_contract::Storage;
use tenantry_storage_postgres::{PostgresOptions, PostgresStorage, PostgresUrl, migrate};

use crate::contract::over;
use crate::stripping::{Form, touches};
use crate::stripping_proxy::StrippingProxy;
use crate::support::{Schema, connection, feed, opened, tenant};
use crate::twins::add_twins;

static PROXY: LazyLock<StrippingProxy> = LazyLock::new(StrippingProxy::start);

async fn fresh(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Storage {
    let schema = Schema::new();
    let storage = PostgresStorage::open(stripped(&schema), clock, listener).unwrap();
    let mut storage = over(storage, schema);
    let keep_alive = std::mem::replace(&mut storage.keep_alive, Box::new(()));
    storage.keep_alive = Box::new(Case(Some(keep_alive)));
    storage
}

async fn empty() -> Queue {
    let schema = Schema::new();
    let options = stripped(&schema);
    let tenant = tenant(&opened(options.clone()).unwrap()).await;
    let open_worker = move || -> Pin<Box<dyn Future<Output = OpenWorker> + Send>> {
        let storage = opened(options.clone()).unwrap();
        let queue = Arc::new(storage.job_queue(Duration::from_secs(2)));
        Box::pin(std::future::ready(OpenWorker { queue, keep_alive: Box::new(storage) }))
    };
    Queue { open_worker: Box::new(open_worker), tenant, keep_alive: Box::new(Case(Some(Box::new(schema)))) }
}

/// Makes the schema, and says how it is opened.
fn stripped(schema: &Schema) -> PostgresOptions {
    migrate(&schema.options()).unwrap();
    let mut connection = connection();
    connection.batch_execute(&format!("SET search_path = \"{}\"", schema.name)).unwrap();
    strip_functions(&mut connection, &schema.name);
    add_twins(&mut connection);
    PostgresOptions { url: PostgresUrl::parse(&PROXY.url()).unwrap(), ..schema.options() }
}

/// How a condition in the functions that run as the application begins and ends. (Those that run as the owner pass
/// the policies; theirs stay.)
const CONDITIONS: [&str; 3] =
    ["tenant_number = tenants[turn]", "tenant_number = tenants[at]", "tenant_number = tenant"];

fn strip_functions(connection: &mut PgConnection, schema: &str) {
    let all = format!(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = '\"{schema}\"'::regnamespace \
         AND NOT prosecdef AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')"
    );
    let functions: Vec<String> = diesel::dsl::sql::<Text>(&all).load(connection).unwrap();
    let (mut functions, mut stripped) = (functions.join(";\n"), 0);
    for condition in CONDITIONS {
        for alias in ["c.", "e.", "h.", "k.", "t.", ""] {
            let condition = format!("{alias}{condition}");
            stripped += functions.matches(&condition).count();
            functions = functions.replace(&condition, "true");
        }
    }
    assert!(stripped >= 9, "only {stripped} conditions were found");
    connection.batch_execute(&functions).unwrap();
}

/// What a case keeps. In the end it looks at what came by, and the last one at all of it.
struct Case(Option<Box<dyn Any + Send>>);

impl Drop for Case {
    fn drop(&mut self) {
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        drop(self.0.take());
        let is_last = ENDED.fetch_add(1, Ordering::SeqCst) + 1 == CASES;
        if std::thread::panicking() {
            return;
        }
        let odd = std::mem::take(&mut PROXY.seen.lock().unwrap().odd);
        assert!(odd.is_empty(), "a tenant's condition is not known, or missing: {odd:#?}");
        if is_last {
            assert_much_was_stripped();
        }
    }
}

/// How many conditions are taken out, of each form, at least.
const FORMS: [(Form, usize); 5] = [
    (Form::Number, 10_000),
    (Form::Parameter, 400),
    (Form::Quoted, 400),
    (Form::Join, 700),
    (Form::Using, 40),
];

/// Out of how many statements that differ by more than their numbers, of each table, at least.
const STATEMENTS: [(&str, usize); 16] = [
    ("catalogs", 6),
    ("discards", 5),
    ("events", 22),
    ("feed_rejects", 12),
    ("feed_runs", 20),
    ("feeds", 20),
    ("jobs", 6),
    ("key_values", 8),
    ("plan_contents", 10),
    ("plan_versions", 10),
    ("plans", 20),
    ("reject_texts", 6),
    ("staged_plans", 18),
    ("staged_rejects", 6),
    ("tenant_counters", 3),
    ("tenant_keys", 5),
];

fn assert_much_was_stripped() {
    let seen = PROXY.seen.lock().unwrap();
    for (form, least) in FORMS {
        let count = seen.forms.get(&form).copied().unwrap_or_default();
        assert!(count >= least, "only {count} conditions of the form {form:?}");
    }
    for (table, least) in STATEMENTS {
        let count = seen.stripped.iter().filter(|statement| touches(statement, table)).count();
        assert!(count >= least, "only {count} statements on {table}");
    }
}

#[tokio::test]
async fn without_its_policies_a_table_shows_the_twins_rows() {
    let schema = Schema::new();
    let storage = opened(stripped(&schema)).unwrap();
    let tenant = tenant(&storage).await;
    feed(&storage, tenant, "feed").await;
    for (whether, expected) in [("ENABLE", 1), ("DISABLE", 2)] {
        let change = format!("ALTER TABLE \"{}\".feeds {whether} ROW LEVEL SECURITY", schema.name);
        connection().batch_execute(&change).unwrap();
        let page = FeedRepository::list(&storage, tenant, None, PageLimit::default()).await.unwrap();
        assert_eq!(page.items.len(), expected, "{whether}");
    }
}

macro_rules! count {
    ($context:tt $($noun:ident { $($case:ident;)+ })+) => {
        [$($(stringify!($case)),+),+].len()
    };
}

/// How many cases there are.
const CASES: usize = tenantry_storage_contract::for_each_storage_case! { () => count }
    + tenantry_queue_contract::for_each_job_queue_case! { () => count }
    + tenantry_queue_contract::for_each_leased_jobs_case! { () => count };

tenantry_storage_contract::storage_contract_tests!(fresh);
tenantry_queue_contract::job_queue_contract_tests!(empty);
tenantry_queue_contract::leased_jobs_contract_tests!(empty);
