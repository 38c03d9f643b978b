use proptest::prelude::*;

use super::*;

fn revision(number: u64) -> Revision {
    Revision::new(number).unwrap()
}

fn stored(generation: u64, version: u64, content: Content) -> Stored {
    Stored { generation, version: revision(version), content }
}

fn entry(generation: u64, version: u64) -> Stored {
    stored(generation, version, Content::Entry(Bytes::from_static(b"v")))
}

#[test]
fn the_form_is_what_the_head_of_this_file_says() {
    let expected = "E0000000000000000000900000000000000000005v";
    assert_eq!(entry(9, 5).to_bytes(), expected);
    let lease = Stored::lease(FillLease { token: 0xfe, generation: 9 }, revision(5));
    assert_eq!(lease.to_bytes(), "L000000000000000000090000000000000000000500000000000000fe");
    assert_eq!(lease.to_bytes().len(), LEASE_BYTES);
}

#[test]
fn what_tenantry_did_not_store_is_nothing() {
    let good = "E0000000000000000000900000000000000000005v";
    for bad in [
        "",
        "E",
        &good[..40],
        &good.replace('E', "Q"),
        &good.replace('9', "x"),
        &good.replace("09", "+9"),
        "L0000000000000000000900000000000000000005zz",
        "E9999999999999999999900000000000000000005v",
        "E0000000000000000000918446744073709551615v",
    ] {
        assert_eq!(Stored::parse(&Bytes::copy_from_slice(bad.as_bytes())), None, "{bad}");
    }
}

#[test]
fn a_higher_version_takes_the_place_and_a_lower_never_does() {
    let lease = |version| Stored::lease(FillLease { token: 1, generation: 9 }, revision(version));
    for (new, held, replaces) in [
        (entry(9, 6), entry(9, 5), true),
        (entry(8, 6), entry(9, 5), true),
        (entry(9, 5), entry(9, 5), false),
        (entry(9, 5), entry(8, 5), true),
        (entry(8, 5), entry(9, 5), false),
        (entry(9, 4), entry(1, 5), false),
        (entry(9, 5), lease(5), true),
        (entry(9, 4), lease(5), false),
        (entry(9, 4), lease(0), true),
    ] {
        assert_eq!(new.replaces(&held), replaces, "{new:?} {held:?}");
    }
}

#[test]
fn only_the_holder_of_the_lease_fills() {
    let lease = FillLease { token: 1, generation: 9 };
    let held = Stored::lease(lease, revision(5));
    assert_eq!(entry(9, 5).filling(&held, lease), Some(entry(9, 5)));
    assert_eq!(entry(9, 4).filling(&held, lease), None, "older than what is known");
    assert_eq!(entry(9, 5).filling(&held, FillLease { token: 2, ..lease }), None);
    assert_eq!(entry(9, 7).filling(&entry(9, 6), lease), None);
    let absent = stored(9, 0, Content::Absent);
    assert_eq!(absent.filling(&held, lease), Some(stored(9, 5, Content::Absent)));
}

fn any_stored() -> impl Strategy<Value = Stored> {
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..50).prop_map(|value| Content::Entry(value.into())),
        Just(Content::Absent),
        any::<u64>().prop_map(Content::Lease),
        Just(Content::Unheld),
    ];
    (any::<u64>(), 0..1_u64 << 63, content)
        .prop_map(|(generation, version, content)| stored(generation, version, content))
}

proptest! {
    #[test]
    fn what_is_stored_is_read_as_it_was(stored in any_stored()) {
        prop_assert_eq!(Stored::parse(&stored.to_bytes()), Some(stored));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Stored::parse(&bytes.into());
    }

    #[test]
    fn numbers_compare_as_they_stand(a in any::<u64>(), b in any::<u64>()) {
        prop_assert_eq!(Stored::digits(a).cmp(&Stored::digits(b)), a.cmp(&b));
    }
}
