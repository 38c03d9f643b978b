use std::cell::Cell;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Integer;
use tenantry_domain::{Key, Revision, TenantNumber};
use tenantry_storage_contract::{Commit, RecordedCommits};
use uuid::Uuid;

use super::*;
use crate::url::PostgresUrl;

fn server() -> String {
    std::env::var("TENANTRY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a PostgreSQL, or set TENANTRY_TEST_POSTGRES_URL")
    })
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

/// A role that may log in and nothing else, dropped with it.
struct Login(String);

impl Login {
    fn new() -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        connect(&server()).batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'for tests'")).unwrap();
        Self(name)
    }

    fn connect(&self) -> PgConnection {
        let server = server();
        let (_, behind) = server.rsplit_once('@').expect("a URL with a user");
        connect(&format!("postgres://{}:for%20tests@{behind}", self.0))
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = connect(&server()).batch_execute(&format!("DROP ROLE {}", self.0));
    }
}

fn change(name: &str) -> Change {
    let (tenant, key) = place(name);
    Change::KeyValue { tenant, key, revision: Revision::new(1).unwrap(), entry: None }
}

fn in_doubt(name: &str) -> Commit {
    let (tenant, key) = place(name);
    Commit::InDoubt { tenant, key }
}

fn place(name: &str) -> (TenantNumber, Key) {
    (TenantNumber::new(7).unwrap(), Key::new(name.as_bytes()).unwrap())
}

fn process(id: i32) -> ServerProcess {
    ServerProcess { id, server_started_us: 1, seen_us: 2 }
}

/// Doubts that nobody waits for.
fn doubts() -> Doubts {
    Doubts { wait: Duration::ZERO, ..Doubts::none() }
}

#[test]
fn a_process_that_lives_is_not_gone_and_one_that_has_ended_is() {
    let login = Login::new();
    let (mut theirs, mut ours) = (login.connect(), login.connect());
    let process = ServerProcess::of(&mut theirs).unwrap();
    assert!(!process.is_gone(&mut ours).unwrap());
    let zone = "SET TimeZone = 'Asia/Kathmandu'";
    ours.batch_execute(zone).unwrap();
    assert!(!process.is_gone(&mut ours).unwrap(), "with a time zone of its own");
    drop(theirs);
    let begun = Instant::now();
    while !process.is_gone(&mut ours).unwrap() {
        assert!(begun.elapsed() < WAIT, "it does not end");
        thread::yield_now();
    }
}

#[test]
fn when_the_server_was_started_anew_whoever_has_the_number_is_another() {
    let login = Login::new();
    let (mut theirs, mut ours) = (login.connect(), login.connect());
    let mut process = ServerProcess::of(&mut theirs).unwrap();
    process.server_started_us -= 1;
    assert!(process.is_gone(&mut ours).unwrap());
}

#[test]
fn a_process_that_began_later_is_another() {
    let login = Login::new();
    let mut ours = login.connect();
    let before = ServerProcess::of(&mut ours).unwrap();
    let mut theirs = login.connect();
    let process = ServerProcess { seen_us: before.seen_us, ..ServerProcess::of(&mut theirs).unwrap() };
    assert!(process.is_gone(&mut ours).unwrap());
}

#[test]
fn a_process_of_the_servers_own_or_of_another_login_is_another() {
    let (login, other) = (Login::new(), Login::new());
    let (mut ours, mut theirs) = (login.connect(), other.connect());
    let checkpointer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    let id = diesel::dsl::sql::<Integer>(checkpointer).get_result(&mut connect(&server())).unwrap();
    let process = ServerProcess::of(&mut ours).unwrap();
    assert!(ServerProcess { id, ..process }.is_gone(&mut ours).unwrap(), "the checkpointer");
    assert!(ServerProcess::of(&mut theirs).unwrap().is_gone(&mut ours).unwrap(), "of another login");
}

#[test]
fn it_is_looked_as_whoever_has_logged_in() {
    let login = Login::new();
    connect(&server())
        .batch_execute(&format!(
            "DO $$ BEGIN CREATE ROLE tenantry_application; EXCEPTION WHEN OTHERS THEN NULL; END $$;
             GRANT tenantry_application TO {}",
            login.0
        ))
        .unwrap();
    let url = server();
    let (_, behind) = url.rsplit_once('@').unwrap();
    let connector = Connector {
        url: PostgresUrl::parse(&format!("postgres://{}:for%20tests@{behind}", login.0)).unwrap(),
        schema: "public".to_owned(),
        statement_timeout_ms: 0,
        purpose: crate::session::Purpose::Serve,
    };
    let mut writer = connector.connect(Access::Write).unwrap();
    let process = ServerProcess::of(&mut writer).unwrap();
    let mut held = None;
    assert!(!is_decided(&process, &mut held, &connector).unwrap());
    let earlier = ServerProcess { seen_us: process.seen_us - 1_000_000_000, ..process };
    assert!(is_decided(&earlier, &mut held, &connector).unwrap());
}

#[test]
fn each_doubt_is_told_when_it_arises_and_when_it_is_decided_whatever_arises_meanwhile() {
    let (heard, mut doubts) = (Arc::new(RecordedCommits::default()), doubts());
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        doubts.arise(process(id), vec![change(name)], &*heard);
    }
    doubts.arise(process(4), Vec::new(), &*heard);
    assert_eq!(heard.take(), [in_doubt("a"), in_doubt("b"), in_doubt("c")]);
    doubts.settle_by(&mut |process| Ok(process.id == 2), &*heard);
    assert_eq!(heard.take(), [in_doubt("b")]);
    doubts.settle_by(&mut |_| Err(PostgresError::Unreachable("it is away".to_owned())), &*heard);
    assert_eq!(heard.take(), []);
    doubts.settle_by(&mut |_| Ok(true), &*heard);
    assert_eq!(heard.take(), [in_doubt("a"), in_doubt("c")]);
    doubts.settle_by(&mut |_| panic!("nothing is in doubt"), &*heard);
}

#[test]
fn a_doubt_is_waited_for() {
    let (heard, mut doubts) = (RecordedCommits::default(), Doubts::none());
    doubts.arise(process(1), vec![change("a")], &heard);
    let looks = Cell::new(0);
    let is_decided = &mut |_: &ServerProcess| {
        looks.set(looks.get() + 1);
        Ok(looks.get() == 3)
    };
    doubts.settle_by(is_decided, &heard);
    assert_eq!((looks.get(), heard.take()), (3, vec![in_doubt("a"), in_doubt("a")]));
}

#[test]
fn once_it_was_waited_for_long_enough_each_batch_looks_once_and_goes_on() {
    let (heard, mut doubts) = (RecordedCommits::default(), doubts());
    doubts.arise(process(1), vec![change("a")], &heard);
    let looks = Cell::new(0);
    for _ in 0..5 {
        doubts.settle_by(
            &mut |_| {
                looks.set(looks.get() + 1);
                Ok(false)
            },
            &heard,
        );
    }
    assert_eq!((looks.get(), heard.take()), (5, vec![in_doubt("a")]));
}

#[test]
fn of_more_doubts_than_there_may_be_the_oldest_counts_as_decided() {
    let (heard, mut doubts) = (RecordedCommits::default(), doubts());
    for id in 0..MOST {
        doubts.arise(process(1), vec![change(&format!("k{id}"))], &heard);
    }
    heard.take();
    doubts.arise(process(1), vec![change("one more")], &heard);
    assert_eq!(heard.take(), [in_doubt("k0"), in_doubt("one more")]);
}
