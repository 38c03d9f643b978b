//! Why the application did not start, or ended.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tenantry_ports::StorageError;

use super::storage::OpenError;
use crate::data_dir::DataDirError;
use crate::demo::DemoError;

/// Why the application did not start: each as one readable line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database was opened, and does not do its work.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {}", reason(error))]
    Listen {
        /// The address, as it was configured.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The file of the admin key holds something else, and no admin key is known yet.
    #[error(
        "{} does not hold an admin key (one begins with tna_): remove it, and a key is made and written to it",
        path.display()
    )]
    AdminKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The first admin key could not be made.
    #[error("the first admin key cannot be made: {0}")]
    AdminKey(String),
    /// The operating system gave no thread.
    #[error("the operating system gave no thread: {0}")]
    Thread(io::Error),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Entropy,
    /// The secret with which cursors are sealed has another length.
    #[error("the cursor secret in the database is damaged: it has {0} bytes, not 32")]
    CursorSecret(usize),
    /// The sample data could not be stored.
    #[error("the sample data cannot be stored: {0}")]
    Demo(#[from] DemoError),
}

/// Why a running application ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The server failed.
    #[error("the HTTP server failed: {0}")]
    Serve(io::Error),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the address is already in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "the address is not one of this computer's".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
