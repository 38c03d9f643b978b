//! `xtask-load bench`: the product against the bare server, both started here, in turns.

mod event_write;
mod feed_import;
mod feed_read;
mod footprint;
mod key_value_read;
mod key_value_write;
mod machine;
mod pgbench;
mod report;
mod search;
mod settings;
mod sides;
mod table;
mod turns;
mod value;

use xtask::arguments::Arguments;

use crate::Result;
use crate::scratch::Scratch;
use settings::{Settings, Work};
use table::Row;

pub(crate) use search::PAGE as SEARCH_PAGE;
pub(crate) use value::LENGTH as VALUE_LENGTH;

/// Measures what was asked for, prints the table, and writes `docs/benchmarks.md`.
///
/// # Errors
/// An answer that is wrong, or an acknowledged write that is not there. That a figure is not reached is none.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let settings = Settings::read(arguments)?;
    println!("{settings}");
    let mut scratch = Scratch::new("bench")?;
    let mut rows: Vec<Row> = Vec::new();
    for work in &settings.works {
        let measured = match work {
            Work::KeyValueRead => key_value_read::measure(&settings, scratch.path()),
            Work::KeyValueColdRead => key_value_read::measure_cold(&settings, scratch.path()),
            Work::EventWrite => event_write::measure(&settings, scratch.path()),
            Work::KeyValueWrite => key_value_write::measure(&settings, scratch.path()),
            Work::Search => search::measure(&settings, scratch.path()),
            Work::FeedRead => feed_read::measure(&settings, scratch.path()),
            Work::Footprint => footprint::measure(scratch.path()),
        };
        match measured {
            Ok(measured) => rows.extend(measured),
            Err(failure) => {
                scratch.keep();
                return Err(format!("{}: {failure}", work.number()).into());
            }
        }
    }
    println!("\n{}", table::markdown(&rows));
    if settings.is_written {
        report::write(&settings, &rows)?;
    } else {
        println!("docs/benchmarks.md was left as it is");
    }
    Ok(())
}
