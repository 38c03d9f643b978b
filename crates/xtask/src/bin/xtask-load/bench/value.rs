//! The keys and values of the bench: each value says whose it is and which write it is from.

/// Bytes of a value.
pub(crate) const LENGTH: usize = 128;

/// A value.
pub(super) type Value = [u8; LENGTH];

/// A key's name: `key-` and six digits.
pub(super) type KeyName = [u8; 10];

/// The name of the key of that number.
pub(super) fn key_name(key: u64) -> KeyName {
    let mut name = *b"key-000000";
    write_digits(key, &mut name[4..]);
    name
}

/// The value of the key of that number after that write.
pub(super) fn value(key: u64, write: u64) -> Value {
    let mut value = [b'.'; LENGTH];
    value[..4].copy_from_slice(b"key ");
    write_digits(key, &mut value[4..10]);
    value[10..17].copy_from_slice(b" write ");
    write_digits(write, &mut value[17..37]);
    value
}

/// The last digits of a number, as many as there is room for.
pub(super) fn write_digits(mut number: u64, room: &mut [u8]) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[test]
fn keys_and_values_say_their_numbers() {
    assert_eq!(&key_name(4711), b"key-004711");
    assert!(value(4711, 12).starts_with(b"key 004711 write 00000000000000000012."));
    assert_ne!(value(1, 2), value(2, 1));
}
