use proptest::prelude::*;

use super::*;
use crate::samples::{entry, key, revision, time};

#[test]
fn an_entry_comes_back_as_it_was() {
    for expires_at in [None, Some(time(9))] {
        let entry = entry(5, expires_at);
        let bytes = encode(&entry);
        assert_eq!(decode(&bytes, key("k"), revision(5)).as_ref(), Some(&*entry));
    }
}

#[test]
fn a_value_that_was_read_shares_the_bytes_that_were_read() {
    let bytes = encode(&entry(5, None));
    let value = decode(&bytes, key("k"), revision(5)).unwrap().value;
    assert!(bytes.as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn bytes_that_are_cut_off_or_longer_are_no_entry() {
    let bytes = encode(&entry(5, None));
    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes.slice(..length), key("k"), revision(5)), None, "{length}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!(decode(&longer.into(), key("k"), revision(5)), None);
}

#[test]
fn another_form_is_not_read() {
    let mut bytes = encode(&entry(5, None)).to_vec();
    bytes[0] = FORM + 1;
    assert_eq!(decode(&bytes.into(), key("k"), revision(5)), None);
}

prop_compose! {
    fn any_entry()(
        content_type in "[a-z]{1,20}/[a-z]{1,20}(; [ -~]{1,20})?",
        version in any::<u64>(),
        at in 0..1_u64 << 63,
        times in [any::<i64>(), any::<i64>(), any::<i64>()],
        ends in any::<bool>(),
        value in prop::collection::vec(any::<u8>(), 0..100),
    ) -> Entry {
        let [created_at, updated_at, expires_at] = times.map(Timestamp::from_micros);
        let meta = EntryMeta {
            key: key("k"),
            content_type: ContentType::new(&content_type).unwrap(),
            size: value.len() as u64,
            version,
            revision: revision(at),
            created_at,
            updated_at,
            expires_at: ends.then_some(expires_at),
        };
        Entry { meta, value: value.into() }
    }
}

proptest! {
    #[test]
    fn any_entry_comes_back_as_it_was(entry in any_entry()) {
        let bytes = encode(&entry);
        prop_assert_eq!(decode(&bytes, key("k"), entry.meta.revision), Some(entry));
    }

    #[test]
    fn any_bytes_are_an_entry_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200), form in any::<bool>()) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (form, bytes.first_mut()) {
            *first = FORM;
        }
        let _ = decode(&bytes.into(), key("k"), revision(5));
    }
}
