//! The drill's values: each says its key and its write.

/// The name of the key of that number.
pub(super) fn key_name(key: u64) -> String {
    format!("drill-{key}")
}

/// The value of the key of that number after that write; lengths differ from write to write.
pub(super) fn value(key: u64, write: u64) -> Vec<u8> {
    let mut value = format!("{write} is the write of key {key} ").into_bytes();
    let length = value.len() + (write.wrapping_mul(37) % 500) as usize;
    value.resize(length, b'.');
    value
}

/// Which write of the key this value is from; `None` when it is from none.
pub(super) fn write_of(key: u64, stored: &[u8]) -> Option<u64> {
    let digits = stored.split(|byte| *byte == b' ').next()?;
    let write = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (value(key, write) == stored).then_some(write)
}

#[test]
fn a_value_tells_its_write_if_it_is_whole() {
    assert_eq!(write_of(3, &value(3, 41)), Some(41));
    assert_eq!(write_of(4, &value(3, 41)), None);
    assert_eq!(write_of(3, &value(3, 41)[..20]), None);
    assert_eq!(write_of(3, b""), None);
}
