//! stub
use xtask::arguments::Arguments;
pub(crate) fn run(_arguments: Arguments) -> crate::Result<()> {
    Ok(())
}
