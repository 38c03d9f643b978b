//! The first admin key: without one nobody could ever call.

use tenantry_domain::SecretKey;
use tenantry_services::AccessService;

use super::error::StartError;
use crate::data_dir::DataDir;

/// Sees to it that there is an admin key. Where there is none, the one in the file `admin.key` becomes it,
/// if an operator has put one there; else one is made and written to that file.
///
/// The file is on disk before the key is known to the database: a crash in between leaves a key in the
/// file that the next start takes, never one that nobody has.
pub(super) async fn ensure(access: &AccessService, data_dir: &DataDir) -> Result<(), StartError> {
    let file = data_dir.admin_key_file();
    if access.has_admin_key().await? {
        if !file.exists() {
            tracing::info!(file = %file.display(), "the admin key is known, and its file is not there (any more)");
        }
        return Ok(());
    }
    let (key, whence) = match data_dir.read_admin_key()? {
        Some(text) => {
            let key = SecretKey::parse(&text).map_err(|_| StartError::AdminKeyFile { path: file.clone() })?;
            (key, "taken from")
        }
        None => {
            let key = AccessService::generate_admin_key().map_err(|_| StartError::Entropy)?;
            data_dir.write_admin_key(key.expose())?;
            (key, "made and written to")
        }
    };
    let is_first = access.adopt_first_admin_key(&key).await.map_err(|error| match error {
        tenantry_services::AccessKeyError::Invalid(_) => StartError::AdminKeyFile { path: file.clone() },
        other => StartError::AdminKey(other.to_string()),
    })?;
    if is_first {
        tracing::info!(file = %file.display(), "the first admin key was {whence} the file");
    } else {
        tracing::warn!(file = %file.display(), "another node made the first admin key: the one in the file is not known");
    }
    Ok(())
}
