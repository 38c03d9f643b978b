//! Files that are something else, cut short, or only looked at.

use std::fs::{self, File};
use std::process::Stdio;

use super::{Installation, fixture};
use crate::process::{command, finish};

#[test]
fn a_file_that_is_cut_short_or_unknown_stores_nothing_at_all() {
    let whole = fs::read(fixture("tenants.sql")).unwrap();
    let complete = b"database dump complete";
    let end = whole.windows(complete.len()).position(|window| window == complete).unwrap();
    let with = |text: &str| [text.as_bytes(), &whole[..]].concat();
    for (content, reason) in [
        (whole[..whole.len() / 2].to_vec(), "is cut short"),
        (whole[..end].to_vec(), "is cut short"),
        (Vec::new(), "is empty"),
        (b"PGDMP\x01\x0e\x00".to_vec(), "pg_restore -f -"),
        (b"\x1f\x8b\x08\x00".to_vec(), "is compressed"),
        (b"\xff\xfe-\x00-\x00".to_vec(), "UTF-16"),
        (b"SQLite format 3\0 and nothing more".to_vec(), "cannot be read as an SQLite database"),
        (b"\x00\x01\x02 rubbish \xff; and more;".to_vec(), "holds no table that is known"),
        (b"CREATE TABLE books (id integer, title text);".to_vec(), "found books(id, title)"),
        (with("SET client_encoding = 'LATIN1';\n"), "--encoding=UTF8"),
        (with("COPY public.kvalue (id, key, value) FROM stdin;\n\\.\n"), "--from"),
    ] {
        let installation = Installation::new();
        fs::remove_dir(installation.data_dir.path()).unwrap();
        let file = installation.file(content);
        let ended = installation.import([&file]);
        let line = ended.one_line_of_failure(1);
        assert!(line.contains("of a predecessor.sql") && line.contains(reason), "{reason}: {line}");
        assert!(!installation.data_dir.path().exists(), "{reason}: not even a database was made");
    }
}

#[test]
fn a_dry_run_tells_what_is_there_and_makes_nothing() {
    let installation = Installation::new();
    let told = installation.import_well(["--dry-run", fixture("activity-timestamp.sql").to_str().unwrap()]);
    assert_eq!(told, "activity, table activity.events: 20 rows read, 20 could be stored, 0 rejected");
    let bad = installation.file("COPY tenants (tenant_number, tenant_id) FROM stdin;\n1\t1_a\n2\t3_b\n\\.\n");
    let ended = installation.import(["--dry-run".as_ref(), bad.as_os_str()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "tenants, table tenants: 2 rows read, 1 could be stored, 1 rejected\n");
    assert!(ended.stderr.contains("line 3: tenant_id does not begin with its number, 2_"), "{ended:?}");
    assert_eq!(fs::read_dir(installation.data_dir.path()).unwrap().count(), 0);
}

#[test]
fn a_dump_is_read_from_standard_input_too() {
    let installation = Installation::new();
    let mut import = command(["import", "--data-dir"]);
    import.arg(installation.data_dir.path()).arg("-");
    let ended = finish(import.stdin(Stdio::from(File::open(fixture("tenants.sql")).unwrap())));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("26 stored"), "{ended:?}");
}

#[test]
fn rows_without_number_and_lines_without_end_stay_within_bounds() {
    let installation = Installation::new();
    let mut dump = String::from("COPY public.tenants (tenant_number, tenant_id) FROM stdin;\n1\t1_good\n");
    dump.push_str(&format!("2\t2_{}\n", "x".repeat(5 << 20)));
    (3..500).for_each(|number| dump.push_str(&format!("{number}\tx\n")));
    dump.push_str("1000\t1000_good\n\\.\n");
    let file = installation.file(dump);
    let ended = installation.import([&file]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("500 rows read, 2 stored, 0 already there, 498 rejected"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 101, "the first hundred, and how many more there are");
    assert!(ended.stderr.contains("line 3: it is longer than 4194304 bytes"), "{ended:?}");
    assert!(ended.stderr.contains(": 398 more rows of that kind"), "{ended:?}");
}
