//! To which server a command speaks, with which key, and about which tenant.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tenantry_client::{Client, ClientBuilder, Secret};

use super::super::{CommandError, health};
use super::prompt;
use crate::config::{Config, Problems};

/// What the file of a key may hold at most: a key has 75 bytes.
const MAX_KEY_FILE_BYTES: u64 = 4096;
/// How the keys of administrators begin.
const ADMIN: &str = "tna_";

/// Flags of every command that speaks to a server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ConnectionArgs {
    /// The server: http://HOST:PORT or https://HOST [default: the one that the configuration describes]
    #[arg(long, value_name = "URL", global = true, env = "TENANTRY_URL")]
    url: Option<String>,
    /// The access key. Other users of this computer can see it in the list of processes, and your shell may keep it:
    /// better set TENANTRY_KEY, or name a file
    // The id of its own is for `kv`, whose keys are others.
    #[arg(long = "key", id = "access_key", value_name = "KEY", global = true, conflicts_with = "key_file")]
    key: Option<Secret>,
    /// The file in which the access key stands; also as TENANTRY_KEY_FILE. Without any, admin.key of the data
    /// directory, if the server is on this computer
    #[arg(long, value_name = "FILE", global = true)]
    key_file: Option<PathBuf>,
    /// The tenant, by number or id: an administrator's key must name one
    #[arg(long, value_name = "TENANT", global = true, env = "TENANTRY_TENANT")]
    tenant: Option<String>,
    /// How many seconds one attempt may take
    #[arg(long, value_name = "SECONDS", global = true, default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// A server, and a key for it.
pub(super) struct Session {
    url: String,
    builder: ClientBuilder,
    is_admin: bool,
    tenant: Option<String>,
}

impl ConnectionArgs {
    /// The tenant that is named.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Finds out whom to speak to. Nothing is sent yet. `load` reads the configuration, if it is needed.
    pub(super) fn open(
        self,
        load: impl FnOnce() -> Result<Config, Problems>,
    ) -> Result<Session, CommandError> {
        let given = self.given_key()?;
        let config = match (&self.url, &given) {
            (Some(_), Some(_)) => None,
            _ => Some(load()?),
        };
        let url = match (self.url, &config) {
            (Some(url), _) => url,
            (None, config) => configured_url(config.as_ref())?,
        };
        let builder = Client::builder(url.as_str())
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .timeout(Duration::from_secs(self.timeout));
        let is_local = builder.is_this_computer().map_err(|error| CommandError::Usage(error.to_string()))?;
        let key = match (given, &config) {
            (Some(key), _) => key,
            (None, Some(config)) if is_local => admin_key(&config.settings().data_dir)?,
            (None, _) => {
                return Err(CommandError::Usage(format!("no access key for {url}: {HOW_TO_GIVE_A_KEY}")));
            }
        };
        let is_admin = key.expose().starts_with(ADMIN);
        Ok(Session { url, builder: builder.key(key), is_admin, tenant: self.tenant })
    }

    /// The key that a flag or a variable gives.
    fn given_key(&self) -> Result<Option<Secret>, CommandError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(key) = &self.key {
            return Ok(Some(key.clone()));
        }
        if let Some(file) = &self.key_file {
            return key_in(file).map(Some);
        }
        if let Some(key) = variable("TENANTRY_KEY") {
            let text =
                key.into_string().map_err(|_| CommandError::Usage("TENANTRY_KEY is not UTF-8".to_owned()))?;
            return Ok(Some(text.trim().into()));
        }
        variable("TENANTRY_KEY_FILE").map(|file| key_in(Path::new(&file))).transpose()
    }
}

const HOW_TO_GIVE_A_KEY: &str = "set TENANTRY_KEY, or name a file with --key-file";

/// The address that the configuration says to listen on.
fn configured_url(config: Option<&Config>) -> Result<String, CommandError> {
    let listen = config.map(|config| config.settings().listen);
    let listen = listen.filter(|listen| listen.port() != 0);
    let listen = listen.ok_or_else(|| {
        CommandError::Usage(
            "the configuration says no port to listen on: name the server with --url".to_owned(),
        )
    })?;
    Ok(format!("http://{}", health::reachable(listen)))
}

fn admin_key(data_dir: &Path) -> Result<Secret, CommandError> {
    let file = data_dir.join("admin.key");
    if !file.exists() {
        let shown = file.display();
        return Err(CommandError::Usage(format!(
            "no access key, and there is no {shown}: {HOW_TO_GIVE_A_KEY}"
        )));
    }
    key_in(&file)
}

fn key_in(file: &Path) -> Result<Secret, CommandError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(MAX_KEY_FILE_BYTES).read_to_string(&mut text));
    let shown = file.display();
    read.map_err(|error| CommandError::Usage(format!("the key file {shown} cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(CommandError::Usage(format!("the key file {shown} is empty"))),
        key => Ok(key.into()),
    }
}

impl Session {
    /// The address of the server.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A client for what belongs to no tenant.
    pub(super) fn client(&self) -> Result<Client, CommandError> {
        self.builder.clone().build().map_err(|error| CommandError::Usage(error.to_string()))
    }

    /// A client for a tenant's data. Where the key is an administrator's and no tenant is named, it is asked for.
    pub(super) fn tenant_client(&self) -> Result<Client, CommandError> {
        let tenant = match &self.tenant {
            None if self.is_admin => Some(self.named_tenant()?),
            tenant => tenant.clone(),
        };
        let builder = match tenant {
            Some(tenant) => self.builder.clone().tenant(tenant),
            None => self.builder.clone(),
        };
        builder.build().map_err(|error| CommandError::Usage(error.to_string()))
    }

    /// The tenant that is named; where none is, it is asked for.
    pub(super) fn named_tenant(&self) -> Result<String, CommandError> {
        prompt::needed(self.tenant.clone(), "--tenant", "Tenant (number or id)")
    }
}
