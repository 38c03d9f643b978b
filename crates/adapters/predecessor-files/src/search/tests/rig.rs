//! Reading a dump that stands in a test, and what came of it.

use std::io::Write as _;
use std::path::Path;

use crate::{Batch, FileError, Origin, PastData, Predecessor, ReadOptions};

pub(crate) fn read_file(path: &Path, options: &ReadOptions) -> Result<PastData, FileError> {
    PastData::read(&Origin::File(path.to_owned()), options, &mut |_| {})
}

pub(crate) fn read(dump: &str, options: &ReadOptions) -> Result<PastData, FileError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(dump.as_bytes()).unwrap();
    read_file(file.path(), options)
}

pub(crate) fn good(dump: &str) -> PastData {
    let data = read(dump, &ReadOptions::default()).unwrap();
    assert_eq!(data.predecessor(), Predecessor::Search);
    data
}

pub(crate) fn refused(dump: &str) -> String {
    read(dump, &ReadOptions::default()).err().unwrap().to_string()
}

pub(crate) fn faults(data: &PastData) -> Vec<String> {
    data.faults().told().iter().map(ToString::to_string).collect()
}

/// What is delivered, a line a plan.
pub(crate) fn plans(data: &mut PastData) -> Vec<String> {
    let mut plans = Vec::new();
    data.deliver(2, &mut |batch| {
        let Batch::Plans(batch) = batch else { panic!("{batch:?}") };
        plans.extend(batch.into_iter().map(|row| {
            let (record, id) = (row.item.record, row.item.id);
            let content = record.content;
            let prices =
                content.prices.map_or("-".to_owned(), |prices| format!("{}-{}", prices.min, prices.max));
            format!(
                "{}: {}/{} {} {} {} {} {} {prices} {}",
                row.place,
                record.key.base_plan_id,
                record.key.plan_id,
                id.map_or("-".to_owned(), |id| id.to_string()),
                content.title,
                content.sell_mode.as_str(),
                &content.time.starts_at().to_string()[..19],
                &content.time.ends_at().to_string()[..19],
                content.zones.as_json()
            )
        }));
        true
    })
    .unwrap();
    plans
}
