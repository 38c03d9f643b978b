use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::*;

fn dump(text: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    file
}

fn read(path: &Path, wanted: Option<Predecessor>) -> Result<PastData, FileError> {
    let options = ReadOptions { predecessor: wanted, ..ReadOptions::default() };
    PastData::read(&Origin::File(path.to_owned()), &options, &mut |_| {})
}

fn read_dump(text: &str) -> PastData {
    read(dump(text.as_bytes()).path(), None).unwrap()
}

fn told(data: &PastData) -> Vec<String> {
    data.faults().told().iter().map(ToString::to_string).collect()
}

/// What is delivered, a line a row.
fn delivered(data: &mut PastData) -> Vec<String> {
    let mut rows = Vec::new();
    data.deliver(2, &mut |batch| {
        match batch {
            Batch::Tenants(batch) => rows.extend(batch.into_iter().map(|row| {
                let PastTenant { number, tenant, created_at, updated_at } = row.item;
                let time = |time: Option<tenantry_domain::Timestamp>| {
                    time.map_or("-".into(), |time| time.to_string())
                };
                let (created_at, updated_at) = (time(created_at), time(updated_at));
                format!(
                    "{}: {number} {} {} {created_at} {updated_at}",
                    row.place,
                    tenant.name,
                    tenant.info.as_str()
                )
            })),
            Batch::Events(batch) => rows.extend(batch.into_iter().map(|row| {
                let PastEvent { event, created_at } = row.item;
                let email = event.email.as_ref().map_or("-", |email| email.as_str());
                format!(
                    "{}: {} {} {} {} {email} {} {created_at}",
                    row.place,
                    event.id,
                    event.component,
                    event.environment,
                    event.message,
                    event.data.as_str()
                )
            })),
            Batch::Plans(batch) => {
                rows.extend(batch.into_iter().map(|row| format!("{}: {:?}", row.place, row.item)));
            }
            Batch::KeyValues(batch) => rows.extend(batch.into_iter().map(|row| {
                let PastKeyValue { key, value, content_type } = row.item;
                format!("{}: {key}={} {}", row.place, String::from_utf8_lossy(&value), content_type.as_str())
            })),
        }
        true
    })
    .unwrap();
    rows
}

#[test]
fn tenants_come_by_number_with_their_names_and_times() {
    let mut data = read_dump(
        "COPY public.tenants (updated_at, tenant_info, tenant_id, tenant_number, created_at) FROM stdin;\n\
         2024-02-01 00:00:00\t{\"email\": \"a@example.com\"}\t12_Skye_Jones\t12\t2024-01-01 00:00:00.5\n\
         \\N\t\\N\t2_Jacklyn91\t2\t\\N\n\
         \\N\tnull\t3_x\t4\t\\N\n\
         \\N\t[]\t5_a b\t5\t\\N\n\
         \\N\t{}\t0_x\t0\t\\N\n\
         never\t{}\t6_x\t6\t\\N\n\
         \\.\n",
    );
    assert_eq!((data.predecessor(), data.table(), data.rows()), (Predecessor::Tenants, "public.tenants", 6));
    assert_eq!(
        delivered(&mut data),
        [
            "line 3: 2 Jacklyn91 {} - -",
            "line 2: 12 Skye_Jones {\"email\": \"a@example.com\"} 2024-01-01T00:00:00.500000Z 2024-02-01T00:00:00.000000Z",
        ]
    );
    assert_eq!(
        told(&data),
        [
            "line 4: tenant_id does not begin with its number, 4_",
            "line 5: the name in tenant_id must hold only the characters A-Z a-z 0-9 . _ -; tenant_info must be a JSON object",
            "line 6: tenant_number is no positive number of 64 bits",
            "line 7: updated_at is no time",
        ]
    );
    assert_eq!(data.good_rows(), 2);
}

#[test]
fn activities_come_by_time_whatever_their_order_and_form() {
    let mut data = read_dump(
        "COPY events (id, component, environment, message, email, data, created_at) FROM stdin;\n\
         00000000-0000-4000-8000-000000000003\tc\te\tlate\ta@example.com\t{\"a\": [1.50]}\t1618531201.5\n\
         00000000000040008000000000000001\tc\te\tearly\t\t\\N\t2021-04-16 00:00:00\n\
         00000000-0000-4000-8000-000000000002\tc\te\ttabs\\tand\\nlines\t\\N\tnull\t2021-04-16 02:00:01+02\n\
         7\tc\te\tm\t\\N\t{}\t1618531200\n\
         00000000-0000-4000-8000-000000000004\t\te\tm\tnobody\t[1]\t1618531200\n\
         00000000-0000-4000-8000-000000000005\tc\te\tm\t\\N\t{\t1618531200\n\
         \\.\n",
    );
    assert_eq!(
        delivered(&mut data),
        [
            "line 3: 00000000-0000-4000-8000-000000000001 c e early - {} 2021-04-16T00:00:00.000000Z",
            "line 4: 00000000-0000-4000-8000-000000000002 c e tabs\tand\nlines - {} 2021-04-16T00:00:01.000000Z",
            "line 2: 00000000-0000-4000-8000-000000000003 c e late a@example.com {\"a\": [1.50]} 2021-04-16T00:00:01.500000Z",
        ]
    );
    let told = told(&data);
    assert_eq!(told[0], "line 5: id is no UUID");
    assert!(
        told[1].starts_with("line 6: component must be 1 to 255") && told[1].contains("data must be"),
        "{told:?}"
    );
    assert!(told[2].starts_with("line 7: data is not JSON"), "{told:?}");
}

/// A database of the key-value store.
fn tenantbase(folder: &Path, sql: &str) -> std::path::PathBuf {
    let path = folder.join("it's a #db?.sqlite3");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let create = "CREATE TABLE kvalue (id INTEGER PRIMARY KEY, key TEXT, value TEXT);";
    connection.batch_execute(&format!("{create}{sql}")).unwrap();
    path
}

#[test]
fn of_the_rows_of_a_key_the_one_with_the_highest_id_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = tenantbase(
        folder.path(),
        "INSERT INTO kvalue VALUES (9, 'a', 'last'), (1, 'a', 'first'), (5, 'a', NULL), (2, 'b', 7),
             (3, 'c', x'00ff'), (4, 'd', 'was'), (6, 'd', NULL), (7, NULL, 'x'), (8, '', 'x'), (10, 'é/🦀', '');
         CREATE TABLE settings (key TEXT, value TEXT);",
    );
    let before = std::fs::read(&path).unwrap();
    let mut data = read(&path, None).unwrap();
    assert_eq!((data.rows(), data.superseded(), data.good_rows()), (10, 3, 4));
    assert_eq!(
        delivered(&mut data),
        [
            "row 9: a=last text/plain; charset=utf-8",
            "row 2: b=7 text/plain; charset=utf-8",
            "row 3: c=\0\u{fffd} application/octet-stream",
            "row 10: é/🦀= text/plain; charset=utf-8",
        ]
    );
    assert_eq!(told(&data), ["row 7: key is NULL", "row 8: a key must not be empty", "row 6: value is NULL"]);
    assert_eq!(std::fs::read(&path).unwrap(), before, "the file is only read");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_still_stands_in_a_write_ahead_log_is_read_and_left_there() {
    let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path =
        tenantbase(folder.path(), "PRAGMA journal_mode = WAL; INSERT INTO kvalue VALUES (1, 'a', 'x');");
    let mut writer = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    writer.batch_execute("INSERT INTO kvalue VALUES (2, 'b', 'in the log')").unwrap();
    // As a process that was killed leaves it.
    let copied = left.path().join("left.db");
    std::fs::copy(&path, &copied).unwrap();
    std::fs::copy(format!("{}-wal", path.display()), left.path().join("left.db-wal")).unwrap();
    let contents = || {
        let files = std::fs::read_dir(left.path()).unwrap().map(|file| file.unwrap().path());
        files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let before = contents();
    assert_eq!(before.len(), 2);
    assert_eq!(delivered(&mut read(&copied, None).unwrap()).len(), 2);
    assert!(contents() == before, "files have changed, or there are others");
}

#[test]
fn what_a_crash_left_half_done_is_undone_in_reading_and_left_as_it_is() {
    let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = tenantbase(folder.path(), "INSERT INTO kvalue VALUES (1, 'a', 'before');");
    let mut writer = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    // With so small a cache a transaction is in the file, and in its journal, before it ends.
    let half =
        "PRAGMA cache_size = 1; PRAGMA synchronous = FULL; BEGIN; UPDATE kvalue SET value = 'half done';
        WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO kvalue SELECT i, 'key' || i, hex(zeroblob(50)) FROM n;";
    writer.batch_execute(half).unwrap();
    let copied = left.path().join("left.db");
    std::fs::copy(&path, &copied).unwrap();
    std::fs::copy(format!("{}-journal", path.display()), left.path().join("left.db-journal")).unwrap();
    let before = std::fs::read(&copied).unwrap();
    assert_eq!(delivered(&mut read(&copied, None).unwrap()), ["row 1: a=before text/plain; charset=utf-8"]);
    assert!(std::fs::read(&copied).unwrap() == before, "the file has changed");
    assert_eq!(std::fs::read_dir(left.path()).unwrap().count(), 2);
}

#[test]
fn a_value_that_is_too_long_is_told_and_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let insert = format!(
        "INSERT INTO kvalue VALUES (2, 'a', zeroblob({})), (1, 'a', 'older'), (3, 'b', 'x');",
        crate::MAX_ROW_BYTES + 1
    );
    let data = read(&tenantbase(folder.path(), &insert), None).unwrap();
    assert_eq!(told(&data), [format!("row 2: value is longer than {} bytes", crate::MAX_ROW_BYTES)]);
    assert_eq!((data.superseded(), data.good_rows()), (1, 1), "the older value does not come back");
}

#[test]
fn a_damaged_database_is_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let insert = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO kvalue SELECT i, 'key' || i, hex(randomblob(50)) FROM n;";
    let path = tenantbase(folder.path(), insert);
    let whole = std::fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn[8192..20480].fill(0xaa);
    for bytes in [&torn[..], &whole[..whole.len() / 2], &whole[..50]] {
        std::fs::write(&path, bytes).unwrap();
        let refused = read(&path, None).err().unwrap();
        assert!(matches!(refused, FileError::Sqlite(_)), "{refused}");
    }
}

#[test]
fn rows_in_one_line_keep_their_order() {
    let mut data =
        read_dump("INSERT INTO kvalue (key, value) VALUES ('a', '1'), ('a', '2'), ('b', '3'), ('a', '4');");
    assert_eq!(
        delivered(&mut data),
        ["line 1: a=4 text/plain; charset=utf-8", "line 1: b=3 text/plain; charset=utf-8"]
    );
}

#[test]
fn a_file_that_holds_nothing_known_is_told_with_what_it_holds() {
    let refused = |text: &[u8], wanted| read(dump(text).path(), wanted).err().unwrap().to_string();
    let other = b"CREATE TABLE books (id integer, title text);\n";
    let told = refused(other, None);
    assert!(told.contains("found books(id, title)") && told.contains("kvalue(key, value)"), "{told}");
    let told =
        refused(b"COPY tenants (tenant_number, tenant_id) FROM stdin;\n\\.\n", Some(Predecessor::Activity));
    assert!(
        told.contains("looked for events(id, component") && told.contains("tenants(tenant_number"),
        "{told}"
    );
    assert!(refused(b"once upon a time", None).contains("cut short"));
    assert!(refused(b"once upon a time;", None).contains("found none"));
    assert!(refused(b"", None).contains("is empty"));
    assert!(refused(b"PGDMP\x01", None).contains("pg_restore"));
    assert!(read(Path::new("/"), None).err().unwrap().to_string().contains("directory"));
    assert!(read(Path::new("/nowhere/at.all"), None).err().unwrap().to_string().contains("cannot be read"));
}

#[test]
fn two_predecessors_in_one_dump_are_told_apart_by_whoever_asks() {
    let both = dump(
        b"COPY public.tenants (tenant_number, tenant_id) FROM stdin;\n1\t1_a\n\\.\n\
          COPY public.kvalue (id, key, value) FROM stdin;\n1\ta\tb\n\\.\n",
    );
    assert!(matches!(read(both.path(), None), Err(FileError::SeveralTables(_))));
    assert_eq!(read(both.path(), Some(Predecessor::Tenants)).unwrap().rows(), 1);
    assert_eq!(delivered(&mut read(both.path(), Some(Predecessor::Tenantbase)).unwrap()).len(), 1);
}

#[test]
fn many_rows_that_are_not_taken_are_counted_and_the_first_ones_told() {
    let rows: String = (0..1000).map(|number| format!("{number}\tx\n")).collect();
    let data = read_dump(&format!("COPY tenants (tenant_number, tenant_id) FROM stdin;\n{rows}\\.\n"));
    assert_eq!((data.faults().count(), data.faults().told().len()), (1000, Faults::MOST_TOLD));
}

#[test]
fn a_batch_ends_when_it_is_large() {
    let rows: String = (0..8).map(|number| format!("{number}\t{}\n", "x".repeat(1 << 20))).collect();
    let mut data = read_dump(&format!("COPY kvalue (key, value) FROM stdin;\n{rows}\\.\n"));
    let mut sizes = Vec::new();
    data.deliver(1000, &mut |batch| {
        if let Batch::KeyValues(batch) = batch {
            sizes.push(batch.len());
        }
        sizes.len() < 2
    })
    .unwrap();
    assert_eq!(sizes, [4, 4]);
}
