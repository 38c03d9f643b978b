use proptest::prelude::*;

use super::*;

/// What a dump was heard to hold.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    tables: Vec<String>,
    rows: Vec<String>,
    keys: Vec<String>,
}

impl Listener for Heard {
    fn table(&mut self, name: &str, columns: &[String]) -> Result<bool, FileError> {
        self.tables.push(format!("{name}({})", columns.join(",")));
        Ok(name.ends_with("wanted"))
    }

    fn row(&mut self, place: Place, values: Result<&[Value<'_>], String>) -> Result<(), FileError> {
        let shown = |value: &Value<'_>| match value {
            Value::Null => "NULL".to_owned(),
            Value::Text(text) => text.clone().into_owned(),
            Value::Bytes(bytes) => format!("{bytes:?}"),
            Value::TooLong => "…".to_owned(),
        };
        let row = match values {
            Ok(values) => values.iter().map(shown).collect::<Vec<_>>().join("|"),
            Err(why) => format!("FAULT {why}"),
        };
        self.rows.push(format!("{place}: {row}"));
        Ok(())
    }

    fn foreign_key(&mut self, key: ForeignKey) {
        self.keys.push(format!(
            "{}({}) {}({})",
            key.table,
            key.columns.join(","),
            key.parent,
            key.parent_columns.join(",")
        ));
    }

    fn progress(&mut self, _: u64) {}
}

/// A reader that gives a byte at a time, so that every seam between chunks is met.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match (self.0.split_first(), into.first_mut()) {
            (Some((byte, rest)), Some(place)) => {
                *place = *byte;
                self.0 = rest;
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

fn heard(dump: &[u8]) -> Result<Heard, FileError> {
    let mut heard = Heard::default();
    read(dump, &mut heard)?;
    let mut trickled = Heard::default();
    read(Trickle(dump), &mut trickled)?;
    assert_eq!(heard, trickled);
    Ok(heard)
}

fn rows(dump: &str) -> Vec<String> {
    heard(dump.as_bytes()).unwrap().rows
}

#[test]
fn rows_of_a_copy_are_read_with_their_lines() {
    let dump = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET client_encoding = 'UTF8';\n\
        SET standard_conforming_strings = on;\nSELECT pg_catalog.set_config('search_path', '', false);\n\
        CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $_$ BEGIN RETURN; END; $_$;\n\
        COPY public.other (a) FROM stdin;\n1\tCOPY public.wanted (a) FROM stdin;\n\\.\n\n\
        COPY public.wanted (id, \"Key\") FROM stdin;\n1\ta\\tb\n2\t\\N\n3\n\\.\n\n\
        ALTER TABLE ONLY public.wanted ADD CONSTRAINT p PRIMARY KEY (id);\n\\unrestrict abc\n\
        -- PostgreSQL database dump complete\n--\n";
    let heard = heard(dump.as_bytes()).unwrap();
    assert_eq!(heard.tables, ["public.other(a)", "public.wanted(id,Key)"]);
    assert_eq!(
        heard.rows,
        ["line 16: 1|a\tb", "line 17: 2|NULL", "line 18: FAULT it has 1 fields, and the table 2 columns"]
    );
}

#[test]
fn foreign_keys_are_told_and_other_alterations_passed_over() {
    let dump = r#"
        ALTER TABLE public.plans OWNER TO postgres;
        ALTER SEQUENCE public.plans_id_seq OWNED BY public.plans.id;
        ALTER TABLE ONLY public.plans ALTER COLUMN id SET DEFAULT nextval('public.plans_id_seq'::regclass);
        ALTER TABLE ONLY public.plans ADD CONSTRAINT plans_pkey PRIMARY KEY (id);
        ALTER TABLE ONLY public.plans ADD CONSTRAINT "odd; name" CHECK ((id > 0));
        ALTER TABLE ONLY public.plans
            ADD CONSTRAINT plans_base_plan_id_fkey FOREIGN KEY (base_plan_id) REFERENCES public.base_plans(id) ON DELETE CASCADE;
        ALTER TABLE IF EXISTS ONLY "Zones" ADD CONSTRAINT z FOREIGN KEY ("basePlanId", plan_id) REFERENCES plans(a, b) NOT VALID;
        ALTER TABLE plans ADD COLUMN x integer;
        ALTER TABLE;
        ALTER;
        COPY wanted (a) FROM stdin;
1
\.
"#;
    let heard = heard(dump.as_bytes()).unwrap();
    assert_eq!(
        heard.keys,
        ["public.plans(base_plan_id) public.base_plans(id)", "Zones(basePlanId,plan_id) plans(a,b)"]
    );
    assert_eq!(heard.rows, ["line 14: 1"]);
}

#[test]
fn a_dump_with_carriage_returns_is_read_alike() {
    let dump = "COPY wanted (a, b) FROM stdin;\r\n1\t2\r\n\\.\r\nSELECT 1;\r\n";
    assert_eq!(rows(dump), ["line 2: 1|2"]);
}

#[test]
fn inserts_are_read_in_every_form_that_dumps_have() {
    let dump = r#"
        CREATE TABLE public.wanted (id integer NOT NULL, "b" numeric(10,2) DEFAULT f('x,y'), PRIMARY KEY (id));
        INSERT INTO public.wanted VALUES (1, 'it''s; (a), b');
        INSERT INTO public.wanted (b, id) OVERRIDING SYSTEM VALUE VALUES (-1.50, NULL), (E'a\nb\'c', 2) ON CONFLICT DO NOTHING;
        INSERT INTO public.wanted VALUES ('{"a": 1}'::jsonb, X'6869'), (true, 1618531200.23);
        INSERT INTO "wanted" (id, b) VALUES (now(), 1), (3, 'x'), (4);
        INSERT INTO wanted SELECT 1, 2;"#;
    assert_eq!(
        rows(dump),
        [
            "line 3: 1|it's; (a), b",
            "line 4: -1.50|NULL",
            "line 4: a\nb'c|2",
            "line 5: {\"a\": 1}|hi",
            "line 5: true|1618531200.23",
            "line 6: FAULT a value is an expression and no literal",
            "line 6: 3|x",
            "line 6: FAULT it has 1 values, and the table 2 columns",
        ]
    );
}

#[test]
fn a_backslash_escapes_in_plain_strings_only_where_the_dump_says_so() {
    let insert = "INSERT INTO wanted (a) VALUES ('a\\\\b');";
    assert_eq!(rows(insert), ["line 1: a\\\\b"]);
    assert_eq!(rows(&format!("SET standard_conforming_strings = off;{insert}")), ["line 1: a\\b"]);
}

#[test]
fn comments_and_strings_hide_what_looks_like_a_statement() {
    let dump = "/* COPY wanted (a) FROM stdin; /* nested; */ ; */ -- INSERT INTO wanted (a) VALUES (1);\n\
        COMMENT ON TABLE x IS 'INSERT INTO wanted (a) VALUES (2);';\n\
        DO $$ INSERT INTO wanted (a) VALUES (3); $$;\n\
        INSERT INTO wanted (a) VALUES (4);";
    assert_eq!(rows(dump), ["line 4: 4"]);
}

#[test]
fn a_dump_that_is_cut_anywhere_is_found_to_be_so() {
    let whole = "-- PostgreSQL database dump\n\nCOPY wanted (a, b) FROM stdin;\n1\t2\n3\t4\n\\.\n\n\
        INSERT INTO wanted (a, b) VALUES ('5', '6');\n-- PostgreSQL database dump complete";
    assert_eq!(rows(&format!("{whole}\n")).len(), 3);
    for cut in 28..whole.len() {
        let ended = heard(&whole.as_bytes()[..cut]);
        // Within a word that counts, another word may seem to stand there.
        let is_found = matches!(ended, Err(FileError::Truncated { .. } | FileError::Statement { .. }));
        assert!(is_found, "{cut}: {ended:?}");
    }
}

#[test]
fn a_dump_without_a_header_that_is_cut_among_its_rows_is_found_to_be_so() {
    let whole = "COPY wanted (a, b) FROM stdin;\n1\t2\n3\t4\n\\.";
    assert_eq!(rows(whole).len(), 2);
    for cut in 31..whole.len() {
        let ended = heard(&whole.as_bytes()[..cut]);
        assert!(matches!(ended, Err(FileError::Truncated { .. })), "{cut}: {ended:?}");
    }
    let insert = "INSERT INTO wanted (a) VALUES (1), (2";
    for cut in 7..insert.len() {
        let ended = heard(&insert.as_bytes()[..cut]);
        assert!(matches!(ended, Err(FileError::Truncated { .. })), "{cut}: {ended:?}");
    }
}

#[test]
fn a_row_that_is_too_long_is_told_and_passed_over() {
    let long = "x".repeat(crate::MAX_ROW_BYTES + 1);
    let dump = format!(
        "COPY wanted (a) FROM stdin;\n1\n{long}\n2\n\\.\nINSERT INTO wanted (a) VALUES ('{long}'), ('3');\n"
    );
    let rows = rows(&dump);
    let told = format!("FAULT it is longer than {} bytes", crate::MAX_ROW_BYTES);
    assert_eq!(
        rows,
        [
            "line 2: 1".to_owned(),
            format!("line 3: {told}"),
            "line 4: 2".into(),
            format!("line 6: {told}"),
            "line 6: 3".into()
        ]
    );
}

#[test]
fn bytes_that_are_no_utf8_are_handed_on_as_bytes() {
    let heard = heard(b"COPY wanted (a) FROM stdin;\n\xe9\n\\.\n").unwrap();
    assert_eq!(heard.rows, ["line 2: [233]"]);
}

#[test]
fn another_encoding_is_refused() {
    for name in ["LATIN1", "WIN1252"] {
        let refused = heard(format!("SET client_encoding = '{name}';").as_bytes());
        assert!(matches!(&refused, Err(FileError::Encoding(told)) if told == name), "{refused:?}");
    }
    for name in ["UTF8", "utf-8", "SQL_ASCII"] {
        assert!(heard(format!("SET client_encoding = '{name}';").as_bytes()).is_ok(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it(dump in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&dump[..], &mut Heard::default());
    }

    #[test]
    fn no_pieces_of_sql_break_it(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "COPY wanted (a) FROM stdin;\n", "\\.\n", "\\N", "\t", "\n", "INSERT INTO wanted (a) VALUES ", "(", ")",
            ",", ";", "'", "E'", "\\", "\"", "$$", "$a$", "--", "/*", "*/", "NULL", "1.5", "::", "CREATE TABLE wanted (",
            "SET ", "client_encoding", "=", "X'", "é", ".", "ALTER TABLE ", "ADD CONSTRAINT c FOREIGN KEY (a) ", "REFERENCES ",
        ]), 0..40)) {
        let _ = read(pieces.concat().as_bytes(), &mut Heard::default());
    }
}
