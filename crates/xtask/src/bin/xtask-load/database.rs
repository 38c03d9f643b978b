//! A private PostgreSQL made ready for the product, as its documentation says: the superuser migrates, and a role that
//! Row-Level Security holds serves.

use std::path::Path;

use crate::Result;
use crate::private::PrivateServer;
use crate::{product, psql};

/// The schema of the product's tables: the default of `postgres.schema`.
pub(crate) const SCHEMA: &str = "tenantry";

/// The role that serves.
const ROLE: &str = "tenantry_server";

/// Makes tables and role; the settings with which the product serves.
pub(crate) fn prepare(postgres: &PrivateServer, data_dir: &Path) -> Result<Vec<(&'static str, String)>> {
    product::migrate(data_dir, &[("database_url", postgres.url("postgres"))])?;
    psql::query(postgres, &format!("CREATE ROLE {ROLE} LOGIN IN ROLE tenantry_application"))?;
    Ok(vec![("database_url", postgres.url(ROLE))])
}
