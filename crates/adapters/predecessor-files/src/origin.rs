//! Where a file comes from, and what kind it is.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::file_error::FileError;

/// Where a file comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// This path.
    File(PathBuf),
    /// Standard input.
    StandardInput,
}

impl Origin {
    /// How many bytes it has, if that is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len()),
            Self::StandardInput => None,
        }
    }
}

/// A file that was opened, by its kind.
pub(crate) enum Opened {
    /// Perhaps a dump: text.
    Text(Box<dyn Read>),
    /// An SQLite database.
    Sqlite(PathBuf),
}

/// How many bytes tell what a file is.
const HEAD: usize = 512;

/// Opens it, and looks at its first bytes.
pub(crate) fn open(origin: &Origin) -> Result<Opened, FileError> {
    match origin {
        Origin::StandardInput => {
            let (head, rest) = head(Box::new(io::stdin()))?;
            match kind(&head)? {
                Kind::Sqlite => Err(FileError::SqliteOnStandardInput),
                Kind::Text => Ok(Opened::Text(rest)),
            }
        }
        Origin::File(path) => {
            if Path::is_dir(path) {
                return Err(FileError::Directory);
            }
            let (head, rest) = head(Box::new(File::open(path)?))?;
            match kind(&head)? {
                Kind::Sqlite => Ok(Opened::Sqlite(path.clone())),
                Kind::Text => Ok(Opened::Text(rest)),
            }
        }
    }
}

/// The first bytes, and all of it.
fn head(mut all: Box<dyn Read>) -> Result<(Vec<u8>, Box<dyn Read>), FileError> {
    let mut head = Vec::with_capacity(HEAD);
    all.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(FileError::Empty);
    }
    // A byte order mark says nothing.
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).to_vec();
    Ok((head, Box::new(io::Cursor::new(text).chain(all))))
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Sqlite,
}

fn kind(head: &[u8]) -> Result<Kind, FileError> {
    const ARCHIVES: [&[u8]; 2] = [b"PGDMP", b"toc.dat\0"];
    const COMPRESSED: [&[u8]; 5] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh", b"PK\x03\x04"];
    let begins = |signs: &[&[u8]]| signs.iter().any(|sign| head.starts_with(sign));
    if head.starts_with(b"SQLite format 3\0") {
        Ok(Kind::Sqlite)
    } else if begins(&ARCHIVES) {
        Err(FileError::Archive)
    } else if begins(&COMPRESSED) {
        Err(FileError::Compressed)
    } else if begins(&[b"\xff\xfe", b"\xfe\xff"]) {
        Err(FileError::Utf16)
    } else {
        Ok(Kind::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        assert_eq!(kind(b"SQLite format 3\0\x10\x00").unwrap(), Kind::Sqlite);
        assert_eq!(kind(b"--\n-- PostgreSQL database dump\n").unwrap(), Kind::Text);
        assert!(matches!(kind(b"PGDMP\x01\x0e"), Err(FileError::Archive)));
        assert!(matches!(kind(b"\x1f\x8b\x08\x00"), Err(FileError::Compressed)));
        assert!(matches!(kind(b"\xff\xfe-\x00"), Err(FileError::Utf16)));
    }
}
