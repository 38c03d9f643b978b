//! `tenantry import`: files as the predecessors left them, and what is asked for of them afterwards over the API.

pub(crate) mod activity;
mod files;
pub(crate) mod predecessors;
pub(crate) mod search;
mod tenantbase;
pub(crate) mod tenants;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Finished, command, finish};
use crate::support::TestApp;

/// A dump that stands in the repository, made by `pg_dump`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/predecessors").join(name)
}

/// A data directory into which files are imported, and beside it room for such files.
struct Installation {
    data_dir: TempDir,
    files: TempDir,
}

impl Installation {
    fn new() -> Self {
        Self { data_dir: tempfile::tempdir().unwrap(), files: tempfile::tempdir().unwrap() }
    }

    /// What `tenantry import` ends with.
    fn import<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Finished {
        let mut import = command(["import", "--data-dir"]);
        import.arg(self.data_dir.path()).args(arguments);
        finish(&mut import)
    }

    /// The sum that an import without any fault ends with.
    fn import_well<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let ended = self.import(arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        ended.stdout.trim_end().to_owned()
    }

    /// A file of this content.
    fn file(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files.path().join("of a predecessor.sql");
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Serves it.
    fn serve(self) -> TestApp {
        TestApp::start_in(self.data_dir, &[("database_url", "")])
    }
}

/// All items of a list, page by page.
pub(crate) async fn all(app: &TestApp, tenant: Option<&str>, path: &str, noun: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let sign = if path.contains('?') { '&' } else { '?' };
    let first = format!("{path}{sign}limit=1000");
    let mut next = first.clone();
    loop {
        let mut request = app.admin(Method::GET, &next);
        if let Some(tenant) = tenant {
            request = request.header("Tenantry-Tenant", tenant);
        }
        let mut page: Value = request.send().await.unwrap().json().await.unwrap();
        items.append(page[noun].as_array_mut().unwrap_or_else(|| panic!("{path} has no {noun}")));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{first}&cursor={cursor}"),
            None => return items,
        }
    }
}
