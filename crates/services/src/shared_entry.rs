//! Entries as the shared cache holds them: bytes of a form that has a number.

#[cfg(test)]
mod tests;

use bytes::{BufMut as _, Bytes, BytesMut};
use tenantry_domain::{ContentType, Entry, EntryMeta, Key, Revision, Timestamp};

/// The number of this form. Bytes of another form, by an older or newer Tenantry, are not read.
const FORM: u8 = 1;

/// The form's number, three times, the version, the lengths of the content type and of the value.
const FIXED_BYTES: usize = 1 + 3 * 8 + 8 + 2 + 4;

/// Stands for "never ends": no [`Timestamp`] is so.
const NEVER: i64 = i64::MIN;

/// The entry as bytes: all of it but its key and its revision, which stand beside it.
///
/// What is longer than its length can say (no content type and no value is) is written with a wrong one, and so
/// is not read.
pub(crate) fn encode(entry: &Entry) -> Bytes {
    let Entry { meta, value } = entry;
    let content_type = meta.content_type.as_str().as_bytes();
    let mut bytes = BytesMut::with_capacity(FIXED_BYTES + content_type.len() + value.len());
    bytes.put_u8(FORM);
    bytes.put_i64(meta.created_at.as_micros());
    bytes.put_i64(meta.updated_at.as_micros());
    bytes.put_i64(meta.expires_at.map_or(NEVER, Timestamp::as_micros));
    bytes.put_u64(meta.version);
    bytes.put_u16(u16::try_from(content_type.len()).unwrap_or(u16::MAX));
    bytes.put_u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
    bytes.put_slice(content_type);
    bytes.put_slice(value);
    bytes.freeze()
}

/// The entry of this key and revision that the bytes say; nothing where they say none. Its value shares them.
pub(crate) fn decode(bytes: &Bytes, key: Key, revision: Revision) -> Option<Entry> {
    let mut rest = Reader(bytes);
    if rest.take::<1>()? != [FORM] {
        return None;
    }
    let [created_at, updated_at, expires_at] = [
        i64::from_be_bytes(rest.take()?),
        i64::from_be_bytes(rest.take()?),
        i64::from_be_bytes(rest.take()?),
    ];
    let version = u64::from_be_bytes(rest.take()?);
    let content_type_bytes = u16::from_be_bytes(rest.take()?);
    let value_bytes = usize::try_from(u32::from_be_bytes(rest.take()?)).ok()?;
    let (content_type, value) = rest.0.split_at_checked(usize::from(content_type_bytes))?;
    if value.len() != value_bytes {
        return None;
    }
    let meta = EntryMeta {
        key,
        content_type: ContentType::new(std::str::from_utf8(content_type).ok()?)?,
        size: value.len() as u64,
        version,
        revision,
        created_at: Timestamp::from_micros(created_at),
        updated_at: Timestamp::from_micros(updated_at),
        expires_at: (expires_at != NEVER).then(|| Timestamp::from_micros(expires_at)),
    };
    Some(Entry { meta, value: bytes.slice_ref(value) })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }
}
