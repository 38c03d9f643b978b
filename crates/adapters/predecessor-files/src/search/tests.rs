//! Dumps of the search, in the schemas that such services have.

mod rig;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use proptest::prelude::*;

use self::rig::*;
use crate::{Predecessor, ReadOptions};

const UUID: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const OTHER: &str = "9b2d1f0e-1111-4222-8333-444455556666";

#[test]
fn a_flat_table_as_the_search_answered_is_read_with_its_ids() {
    let mut data = good(&format!(
        "COPY public.events (id, provider_base_event_id, provider_event_id, title, start_date, start_time, end_date, end_time, \
         min_price, max_price) FROM stdin;\n\
         {UUID}\t291\t1642\tCamela en concierto\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30.5\n\
         {OTHER}\t322\t1642\tPantomima Full\t2021-02-10\t20:00:00\t2021-02-10\t21:30:00\t\\N\t\\N\n\\.\n"
    ));
    assert_eq!((data.rows(), data.good_rows(), data.table()), (2, 2, "public.events"));
    assert_eq!(
        plans(&mut data),
        [
            format!(
                "line 2: 291/1642 {UUID} Camela en concierto online 2021-06-30T21:00:00 2021-06-30T22:00:00 15.0-30.5 []"
            ),
            format!(
                "line 3: 322/1642 {OTHER} Pantomima Full online 2021-02-10T20:00:00 2021-02-10T21:30:00 - []"
            ),
        ]
    );
    let layout = data.layout().unwrap();
    for part in [
        "base plans' ids from public.events.provider_base_event_id",
        "plans' ids from public.events.provider_event_id",
        "UUIDs kept from public.events.id",
        "start from start_date and start_time",
        "all as sold online, since no column says how",
        "prices from public.events.min_price and public.events.max_price",
    ] {
        assert!(layout.contains(part), "{part}: {layout}");
    }
}

#[test]
fn names_and_types_of_columns_may_be_others() {
    for (name, columns, row) in [
        (
            "plans",
            "id, base_plan_id, provider_plan_id, title, starts_at, ends_at, min_price, max_price, sell_mode",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6\t1\t2\tT\t2021-06-30 21:00:00\t2021-06-30 22:00:00\t15.00\t15.00\tonline",
        ),
        (
            "app.event",
            "uuid, \"baseEventId\", \"eventId\", title, \"startDateTime\", \"endDateTime\", \"minPrice\", \"maxPrice\", \"isOnline\"",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6\t1\t2\tT\t2021-06-30 23:00:00+02\t2021-06-30 22:00:00+00\t15\t15\tt",
        ),
        (
            "public.provider_events",
            "id, event_base_id, event_id, name, event_start_date, event_start_time, event_end_date, event_end_time, \
             price_range_min, price_range_max, sell_mode",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6\t1\t2\tT\t2021-06-30 21:00:00\t21:00:00\t2021-06-30\t22:00:00\t15\t15\t\
             SellModeEnum.ONLINE",
        ),
        (
            "search_events",
            "id, base_id, event_id, title, start_date, end_date, min_price, max_price, sell_mode, ever_online, deleted_at",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6\t1\t2\tT\t2021-06-30 21:00:00.000\t2021-06-30T22:00:00\t15\t15\toffline\t\
             true\t\\N",
        ),
    ] {
        let mut data = good(&format!("COPY {name} ({columns}) FROM stdin;\n{row}\n\\.\n"));
        assert_eq!(
            plans(&mut data),
            [format!("line 2: 1/2 {UUID} T online 2021-06-30T21:00:00 2021-06-30T22:00:00 15.0-15.0 []")],
            "{name}: {:?}",
            faults(&data)
        );
    }
}

/// Base plans, plans and zones with keys of their own, and foreign keys at the end, as `pg_dump` writes them.
const NORMALISED: &str = "CREATE TABLE public.base_events (id integer, base_event_id integer, title text, sell_mode text, organizer_company_id integer);
CREATE TABLE public.events (id uuid, base_event_id integer, event_id integer, event_start_date timestamp, event_end_date timestamp, sell_from timestamp, sell_to timestamp, sold_out boolean);
CREATE TABLE public.zones (id integer, event_id uuid, zone_id integer, capacity integer, price numeric, name text, numbered boolean);
COPY public.base_events (id, base_event_id, title, sell_mode, organizer_company_id) FROM stdin;
1\t291\tCamela en concierto\tonline\t\\N
2\t322\tPantomima Full\toffline\t2
\\.
COPY public.events (id, base_event_id, event_id, event_start_date, event_end_date, sell_from, sell_to, sold_out) FROM stdin;
3fa85f64-5717-4562-b3fc-2c963f66afa6\t1\t1642\t2021-06-30 21:00:00\t2021-06-30 22:00:00\t2020-07-01 00:00:00\t2021-06-30 20:00:00\tf
9b2d1f0e-1111-4222-8333-444455556666\t2\t1642\t2021-02-10 20:00:00\t2021-02-10 21:30:00\t\\N\t\\N\tt
\\.
COPY public.zones (id, event_id, zone_id, capacity, price, name, numbered) FROM stdin;
1\t3fa85f64-5717-4562-b3fc-2c963f66afa6\t40\t243\t20.00\tPlatea\tt
2\t3fa85f64-5717-4562-b3fc-2c963f66afa6\t38\t0\t15.00\tGrada \"2\"\tf
3\t3fa85f64-5717-4562-b3fc-2c963f66afa6\t38\t\\N\t30.00\t\tf
\\.
ALTER TABLE ONLY public.events ADD CONSTRAINT a FOREIGN KEY (base_event_id) REFERENCES public.base_events(id);
ALTER TABLE ONLY public.zones ADD CONSTRAINT b FOREIGN KEY (event_id) REFERENCES public.events(id);
";

fn normalised() -> [String; 2] {
    let zones = r#"[{"zone_id":"40","name":"Platea","price":20.0,"capacity":243,"numbered":true},{"zone_id":"38","name":"Grada \"2\"","price":15.0,"capacity":0,"numbered":false},{"zone_id":"38","name":"","price":30.0,"capacity":null,"numbered":false}]"#;
    [
        format!(
            "line 9: 291/1642 {UUID} Camela en concierto online 2021-06-30T21:00:00 2021-06-30T22:00:00 15.0-30.0 {zones}"
        ),
        format!(
            "line 10: 322/1642 {OTHER} Pantomima Full offline 2021-02-10T20:00:00 2021-02-10T21:30:00 - []"
        ),
    ]
}

#[test]
fn plans_are_put_together_from_base_plans_and_zones_by_foreign_keys() {
    let mut data = good(NORMALISED);
    assert_eq!(plans(&mut data), normalised());
    assert_eq!(plans(&mut data), normalised(), "and once more");
    assert_eq!((data.rows(), data.good_rows(), data.faults().count()), (2, 2, 0));
    let beside: Vec<_> =
        data.side_tables().iter().map(|table| (table.name.as_str(), table.rows, table.rejected)).collect();
    assert_eq!(beside, [("public.base_events", 2, 0), ("public.zones", 3, 0)]);
    let layout = data.layout().unwrap();
    assert!(layout.contains("base plans by public.events.base_event_id = public.base_events.id"), "{layout}");
    assert!(layout.contains("zones of public.zones by public.zones.event_id = public.events.id"), "{layout}");
}

#[test]
fn without_foreign_keys_only_names_that_leave_no_doubt_are_taken() {
    let data_only: String = NORMALISED
        .lines()
        .filter(|line| !line.starts_with("ALTER"))
        .map(|line| format!("{line}\n"))
        .collect();
    let told = refused(&data_only);
    assert!(
        told.contains(
            "public.events.base_event_id = public.base_events.id, or public.events.base_event_id = \
                       public.base_events.base_event_id"
        ),
        "{told}"
    );
    // Base plans and plans under their provider's ids alone.
    let natural = "COPY base_plans (base_plan_id, title, sell_mode) FROM stdin;\n7\tT\tonline\n8\tU\tonline\n\\.\n\
        COPY plans (base_plan_id, plan_id, plan_start_date, plan_end_date) FROM stdin;\n\
        7\t1\t2021-06-30 21:00:00\t2021-06-30 22:00:00\n8\t1\t2021-06-30 21:00:00\t2021-06-30 22:00:00\n\\.\n\
        COPY zones (base_plan_id, plan_id, zone_id, price) FROM stdin;\n7\t1\t5\t10\n8\t1\t5\t20\n\\.\n";
    let mut data = good(natural);
    let found = plans(&mut data);
    assert!(found[0].starts_with("line 6: 7/1 - T online") && found[0].contains("10.0-10.0"), "{found:?}");
    assert!(found[1].starts_with("line 7: 8/1 - U online") && found[1].contains("20.0-20.0"), "{found:?}");
    // The provider's ids are the tables' own.
    let own = "COPY base_plans (id, title, sell_mode) FROM stdin;\n7\tT\tonline\n\\.\n\
        COPY plans (id, base_plan_id, plan_start_date, plan_end_date, sold_out) FROM stdin;\n\
        1\t7\t2021-06-30 21:00:00\t2021-06-30 22:00:00\tf\n\\.\n\
        COPY zones (id, plan_id, capacity, price, name, numbered) FROM stdin;\n5\t1\t9\t10.5\tA\tt\n\\.\n";
    let found = plans(&mut good(own));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("line 5: 7/1 - T online") && found[0].contains("\"zone_id\":\"5\""),
        "{found:?}"
    );
    let lost = own.replace("base_plan_id", "x");
    assert!(refused(&lost).contains("does not say which row of base_plans a row of plans belongs to"));
}

#[test]
fn rows_that_cannot_be_taken_are_told_and_the_others_stay() {
    let dump = "COPY events (id, base_event_id, event_id, title, start_date, start_time, end_date, end_time, min_price, max_price, sell_mode) FROM stdin;
a\t1\t1\tgood\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\tonline
b\t1\t2\tno such day\t2021-09-31\t20:00:00\t2021-09-30\t22:00:00\t15\t30\tonline
c\t1\t3\tbackwards\t2021-06-30\t21:00:00\t2021-06-30\t20:59:59\t15\t30\tonline
d\t1\t4\tcents\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15.005\t30\tonline
e\t1\t5\tbelow\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t31\t30\tonline
f\t\\N\t6\tno base\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\tonline
g\t1\t1\ttwice\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\tonline
h\t1\t8\t\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\tonline
i\t1\t9\tno end\t2021-06-30\t21:00:00\t\\N\t22:00:00\t15\t30\tonline
j\t1\t10\thow\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\tby phone
k\t1\t11\tshort
l\t1\t12\tNaN\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\tNaN\t30\tonline
m\t1\t13\ta day\t2021-06-30\t\\N\t2021-07-01\t\\N\t\\N\t30\toffline
\\.
";
    let mut data = good(dump);
    assert_eq!((data.rows(), data.good_rows()), (13, 2));
    assert_eq!(
        plans(&mut data),
        [
            "line 2: 1/1 - good online 2021-06-30T21:00:00 2021-06-30T22:00:00 15.0-30.0 []",
            "line 14: 1/13 - a day offline 2021-06-30T00:00:00 2021-07-01T00:00:00 30.0-30.0 []",
        ]
    );
    let mut told = faults(&data);
    told.sort_by_key(|fault| fault[5..fault.find(':').unwrap()].parse::<u32>().unwrap());
    assert_eq!(
        told,
        [
            "line 3: start_date and start_time are no time: 2021-09-31 20:00:00",
            "line 4: end_date is before start_date",
            "line 5: min_price has more than two decimals",
            "line 6: min_price is larger than max_price",
            "line 7: base_event_id is NULL or empty",
            "line 8: the plan 1 of the base plan 1 stands in line 2 already, which was taken",
            "line 9: title is empty, longer than 1000 characters, or holds U+0000",
            "line 10: end_date is NULL",
            "line 11: sell_mode is neither online nor offline",
            "line 12: it has 4 fields, and the table 11 columns",
            "line 13: min_price is not a decimal number such as 15.00",
        ]
    );
}

#[test]
fn a_zone_that_cannot_be_taken_is_left_out_and_a_plan_without_its_base_plan_too() {
    let dump = NORMALISED
        .replace("2\t322\tPantomima Full\toffline\t2\n", "2\t322\tshort\n")
        .replace("38\t0\t15.00", "38\t-1\t15.00")
        .replace("\\.\nALTER", "4\t00000000-0000-0000-0000-000000000000\t1\t1\t1\tof no plan\tf\n\\.\nALTER");
    let mut data = good(&dump);
    let found = plans(&mut data);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains(" 20.0-30.0 ") && !found[0].contains("Grada"), "{found:?}");
    assert_eq!((data.rows(), data.good_rows(), data.faults().count()), (2, 1, 4));
    let beside: Vec<_> = data.side_tables().iter().map(|table| (table.rows, table.rejected)).collect();
    assert_eq!(beside, [(2, 1), (4, 2)]);
    assert_eq!(
        faults(&data),
        [
            "line 6: public.base_events: it has 3 fields, and the table 5 columns",
            "line 14: public.zones: capacity is no whole number from 0 to 4294967295",
            "line 10: public.base_events has no row 2, or none that is taken",
            "line 16: public.zones: public.events has no such plan",
        ]
    );
}

#[test]
fn plans_without_their_providers_ids_are_taken_only_on_demand() {
    let dump = format!(
        "COPY events (id, title, start_date, start_time, end_date, end_time, min_price, max_price) FROM stdin;\n\
         {UUID}\tT\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\n\
         \\N\tU\t2021-06-30\t21:00:00\t2021-06-30\t22:00:00\t15\t30\n\\.\n"
    );
    let told = refused(&dump);
    assert!(told.contains("--without-provider-ids") && told.contains("in events"), "{told}");
    let options = ReadOptions { without_provider_ids: true, ..ReadOptions::default() };
    let mut data = read(&dump, &options).unwrap();
    let found = plans(&mut data);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with(&format!("line 2: -/{UUID} {UUID} T online")), "{found:?}");
    assert_eq!(faults(&data), ["line 3: it has no id"]);
    // A UUID is the search's own id, and not what the provider knows a plan by.
    let with_base = dump
        .replace("(id, title", "(id, base_plan_id, title")
        .replace("\tT\t", "\t7\tT\t")
        .replace("\tU\t", "\t7\tU\t");
    assert!(refused(&with_base).contains("--without-provider-ids"));
    let found = plans(&mut read(&with_base, &options).unwrap());
    assert!(found[0].starts_with(&format!("line 2: 7/{UUID} {UUID} T online")), "{found:?}");
    let numbers = with_base.replace(UUID, "12");
    assert!(plans(&mut good(&numbers))[0].starts_with("line 2: 7/12 - T online"));
}

#[test]
fn of_several_providers_one_must_be_named() {
    let dump = "COPY events (id, provider_name, base_event_id, event_id, title, starts_at, ends_at) FROM stdin;\n\
        1\tone\t1\t1\tA\t2021-06-30 21:00:00\t2021-06-30 22:00:00\n\
        2\ttwo\t1\t1\tB\t2021-06-30 21:00:00\t2021-06-30 22:00:00\n\\.\n";
    let told = refused(dump);
    assert!(told.contains("several providers (one, two)") && told.contains("--provider"), "{told}");
    let of = |provider: &str| {
        let options = ReadOptions { provider: Some(provider.to_owned()), ..ReadOptions::default() };
        read(dump, &options)
    };
    let mut data = of("two").unwrap();
    let found = plans(&mut data);
    assert_eq!((found.len(), data.rows(), data.faults().count()), (1, 1, 0));
    assert!(found[0].starts_with("line 3: 1/1 - B"), "{found:?}");
    assert!(
        of("three").err().unwrap().to_string().contains("no plans of the provider three, but of one, two")
    );
    assert!(plans(&mut good(&dump.replace("two", "one")))[0].contains(" A "), "the first is taken");
}

#[test]
fn what_does_not_fit_is_told_with_what_was_looked_for_and_what_is_there() {
    let options = ReadOptions { predecessor: Some(Predecessor::Search), ..ReadOptions::default() };
    for dump in [
        "CREATE TABLE events (id integer, title text, begins timestamp, ends timestamp);",
        "CREATE TABLE shows (id integer, title text, starts_at timestamp, ends_at timestamp);",
        "CREATE TABLE base_events (id integer, title text, sell_mode text);",
    ] {
        let told = read(dump, &options).err().unwrap().to_string();
        let table = dump.split([' ', '(']).nth(2).unwrap();
        assert!(told.contains("looked for plans or events(starts_at, ends_at"), "{told}");
        assert!(told.contains(&format!("found {table}(id, title, ")), "{told}");
    }
    let told = refused("COPY plans (id, starts_at, ends_at) FROM stdin;\n\\.\n");
    assert!(told.contains("has no title for the plans in plans"), "{told}");
    let two = "CREATE TABLE a.events (id uuid, base_event_id integer, event_id integer, title text, starts_at timestamp, ends_at timestamp);";
    let told = refused(&format!("{two}{}", two.replace("a.events", "b.plans")));
    assert!(
        told.contains("several tables") && told.contains("a.events (search), b.plans (search)"),
        "{told}"
    );
    let told = refused(&format!("{two}COPY kvalue (id, key, value) FROM stdin;\n\\.\n"));
    assert!(told.contains("kvalue (tenantbase), a.events (search)"), "{told}");
    let activity = "COPY events (id, component, environment, message, created_at) FROM stdin;\n\\.\n";
    assert_eq!(read(activity, &ReadOptions::default()).unwrap().predecessor(), Predecessor::Activity);
}

#[test]
fn an_sqlite_file_with_foreign_keys_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("search.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection
        .batch_execute(
            "CREATE TABLE base_plans (id INTEGER PRIMARY KEY, base_plan_id INTEGER, title TEXT, sell_mode TEXT);
             CREATE TABLE plans (id INTEGER PRIMARY KEY, uuid TEXT, base_plan_id INTEGER REFERENCES base_plans (id),
                 plan_id INTEGER, plan_start_date TEXT, plan_end_date TEXT, sell_from TEXT, sell_to TEXT, sold_out INTEGER);
             CREATE TABLE zones (id INTEGER PRIMARY KEY, plan_id INTEGER REFERENCES plans, zone_id INTEGER,
                 capacity INTEGER, price NUMERIC, name TEXT, numbered INTEGER);
             INSERT INTO base_plans VALUES (1, 291, 'T', 'online');
             INSERT INTO plans VALUES (5, '3fa85f64-5717-4562-b3fc-2c963f66afa6', 1, 1642, '2021-06-30 21:00:00.000000',
                 '2021-06-30 22:00:00', NULL, NULL, 0);
             INSERT INTO zones VALUES (1, 5, 40, 243, 20, 'Platea', 1), (2, 5, 40, 3, 12.5, 'Platea', 0);",
        )
        .unwrap();
    let mut data = read_file(&path, &ReadOptions::default()).unwrap();
    let zones = r#"[{"zone_id":"40","name":"Platea","price":20.0,"capacity":243,"numbered":true},{"zone_id":"40","name":"Platea","price":12.5,"capacity":3,"numbered":false}]"#;
    assert_eq!(
        plans(&mut data),
        [format!(
            "row 1: 291/1642 {UUID} T online 2021-06-30T21:00:00 2021-06-30T22:00:00 12.5-20.0 {zones}"
        )]
    );
}

#[test]
fn a_plan_has_no_more_zones_than_one_of_a_feed() {
    let rows: String = (0..10_001).map(|zone| format!("{zone}\t{UUID}\t{zone}\t1\t1\tz\tf\n")).collect();
    let cut = NORMALISED.find("1\t3fa85f64-5717-4562-b3fc-2c963f66afa6\t40").unwrap();
    let end = NORMALISED.rfind("\\.\nALTER").unwrap();
    let mut data = good(&format!("{}{rows}{}", &NORMALISED[..cut], &NORMALISED[end..]));
    assert_eq!(plans(&mut data).len(), 1);
    assert_eq!(faults(&data), ["line 9: it has more than 10000 zones"]);
}

#[test]
fn a_dump_that_is_cut_anywhere_is_no_data_or_that_of_its_whole_tables() {
    let whole = format!("-- PostgreSQL database dump\n\n{NORMALISED}-- PostgreSQL database dump complete\n");
    assert_eq!(plans(&mut good(&whole)).len(), 2);
    for cut in (28..whole.len() - 1).step_by(7) {
        assert!(read(&whole[..cut], &ReadOptions::default()).is_err(), "{cut}");
    }
}

proptest! {
    #[test]
    fn no_values_break_it(values in proptest::collection::vec(proptest::option::of("\\PC{0,12}"), 11)) {
        let escaped = |value: &Option<String>| {
            value.as_ref().map_or_else(|| "\\N".to_owned(), |text| text.replace('\\', "\\\\"))
        };
        let row = values.iter().map(escaped).collect::<Vec<_>>().join("\t");
        let mut data = good(&format!(
            "COPY events (id, base_event_id, event_id, title, start_date, start_time, end_date, end_time, min_price, max_price, \
             sell_mode) FROM stdin;\n{row}\n\\.\n"
        ));
        let taken = plans(&mut data).len() as u64;
        prop_assert_eq!(taken + data.faults().count(), 1);
    }
}
