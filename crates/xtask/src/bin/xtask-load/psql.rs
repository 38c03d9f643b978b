//! Questions to a private PostgreSQL, past the product, by its own `psql`.

use crate::Result;
use crate::private::PrivateServer;

/// Runs statements as the superuser; the answer's rows, a line each, columns parted by `|`.
pub(crate) fn query(postgres: &PrivateServer, statements: &str) -> Result<String> {
    let mut psql = postgres.tool("psql");
    psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statements, "postgres"]);
    let output = psql.output()?;
    if !output.status.success() {
        return Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
