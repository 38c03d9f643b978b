//! A folder for one run, in the build's target folder: on a disk, as temporary folders often are not.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::Result;

/// A folder that is removed in the end, unless it is kept.
pub(crate) struct Scratch {
    path: PathBuf,
    is_kept: bool,
}

impl Scratch {
    /// Makes a folder for this process.
    pub(crate) fn new(task: &str) -> Result<Self> {
        let program = env::current_exe()?;
        let target = program.ancestors().nth(2).ok_or("this program stands in no target folder")?;
        let path = target.join("xtask").join(format!("{task}-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path, is_kept: false })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is, for a person to look at, and says so.
    pub(crate) fn keep(&mut self) {
        eprintln!("what is left of the run stands in {}", self.path.display());
        self.is_kept = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.is_kept {
            // A folder that can't be removed does no harm but take space.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
