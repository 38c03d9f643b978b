//! Why a file as a whole is not taken.

use std::io;

/// Why a file as a whole is not taken. Each is a sentence that goes on behind the file's name, and says what to do.
/// Nothing of the file was handed out.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system says so.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A folder: perhaps a dump in the directory format.
    #[error(
        "is a directory; a dump in pg_dump's directory format is turned into text by `pg_restore -f - DIRECTORY`"
    )]
    Directory,
    /// Not a byte.
    #[error("is empty")]
    Empty,
    /// `pg_dump -Fc` or `-Ft`.
    #[error(
        "is an archive of pg_dump, not plain text; pipe it through `pg_restore -f - FILE | tenantry import … -`, or \
         dump again with `pg_dump --format=plain`"
    )]
    Archive,
    /// gzip, zstd, xz, bzip2 or zip.
    #[error("is compressed; unpack it first, or pipe it: `gunzip -c FILE | tenantry import … -`")]
    Compressed,
    /// What PowerShell's `>` makes.
    #[error("is in UTF-16, as PowerShell's `>` writes it; use `pg_dump --file=FILE` instead")]
    Utf16,
    /// SQLite must be able to go back and forth in its file.
    #[error("is an SQLite database; it cannot be read from standard input: name its file")]
    SqliteOnStandardInput,
    /// It ends too soon.
    #[error("is cut short: it ends in line {line}, {within}; nothing was imported")]
    Truncated {
        /// The last line.
        line: u64,
        /// In the middle of what.
        within: &'static str,
    },
    /// `SET client_encoding` to something else than UTF-8.
    #[error("is in the encoding {0}; dump again with `pg_dump --encoding=UTF8`")]
    Encoding(String),
    /// A statement that cannot be understood.
    #[error("cannot be understood in line {line}: {what}")]
    Statement {
        /// Where.
        line: u64,
        /// What is wrong there.
        what: String,
    },
    /// No table fits.
    #[error("holds no table that is known: looked for {wanted}; found {found}")]
    NoTable {
        /// The tables that were looked for, with the columns that they must have.
        wanted: String,
        /// The tables that are there, with their columns.
        found: String,
    },
    /// Several tables fit.
    #[error(
        "holds several tables that could be meant: {0}; name the predecessor with --from, or dump one with `--table`"
    )]
    SeveralTables(String),
    /// Nothing says which row of another table a row belongs to.
    #[error(
        "does not say which row of {parent} a row of {table} belongs to: there is no foreign key, and no column of that \
         name; dump the schema too, without `--data-only`"
    )]
    NoReference {
        /// The table.
        table: String,
        /// The other one.
        parent: String,
    },
    /// A row could belong to one or another.
    #[error("has no foreign key that says which is meant: {0}; dump the schema too, without `--data-only`")]
    AmbiguousReference(String),
    /// Plans without a title.
    #[error(
        "has no title for the plans in {0}: neither a column of theirs, nor a table base_plans(title, sell_mode)"
    )]
    NoTitle(String),
    /// Plans without what their provider knows them by.
    #[error(
        "does not say in {0} what the provider knows plans by (base_plan_id and plan_id, or base_event_id and event_id): \
         so a later fetch of the feed could not tell that they are the same, and they would be found twice; \
         import them all the same with --without-provider-ids"
    )]
    NoProviderIds(String),
    /// Plans of several providers, which have ids of their own.
    #[error("holds plans of several providers ({0}): name the one whose feed this is with --provider")]
    SeveralProviders(String),
    /// None of the provider that was named.
    #[error("holds no plans of the provider {wanted}, but of {found}")]
    OtherProviders {
        /// Who was named.
        wanted: String,
        /// Who is there.
        found: String,
    },
    /// SQLite says so.
    #[error("cannot be read as an SQLite database: {0}")]
    Sqlite(String),
    /// The temporary database, in which rows are sorted, does not work.
    #[error("could not be sorted in a temporary file (TMPDIR says where): {0}")]
    Staging(String),
}
