//! `tenantry check`: explains the configuration, looks at what it names, and changes nothing.

mod shared_cache;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Access, access};
use tenantry_queue_rabbitmq::RabbitMqQueue;
use tenantry_storage_postgres::{Inspection, PostgresOptions};

use super::{CommandError, print_line};
use crate::config::{Config, Database, Problems, Source, StorageOptions};

/// One thing that was looked at: what it is, and what was found or what is wrong.
type Finding = (String, Result<String, String>);

pub(super) fn run(config: Result<Config, Problems>) -> Result<(), CommandError> {
    let config = match config {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems.iter() {
                print_line(&format!("failed  configuration: {problem}"))?;
            }
            return Err(CommandError::BadConfigurationReported);
        }
    };
    let settings = config.settings();
    let mut findings = explain(&config);
    findings.push((format!("data directory {}", settings.data_dir.display()), data_dir(&settings.data_dir)));
    findings.extend(database(&config));
    findings.extend(shared_cache::findings(&settings.cache));
    findings.extend(broker(&config));
    findings.push((format!("address {}", settings.listen), address(settings.listen)));

    for (what, finding) in &findings {
        match finding {
            Ok(text) => print_line(&format!("ok      {what}: {text}"))?,
            Err(text) => print_line(&format!("failed  {what}: {text}"))?,
        }
    }
    let all_good = findings.iter().all(|(_, finding)| finding.is_ok());
    if all_good { Ok(()) } else { Err(CommandError::Reported) }
}

fn explain(config: &Config) -> Vec<Finding> {
    let all = config.explain();
    let set: Vec<_> = all.iter().filter(|value| value.source != Source::Default).collect();
    let finding = |text| ("configuration".to_owned(), Ok(text));
    let mut findings =
        vec![finding(format!("{} of {} keys hold their defaults", all.len() - set.len(), all.len()))];
    findings.extend(
        set.iter().map(|value| finding(format!("{} = {}, from {}", value.key, value.value, value.source))),
    );
    findings
}

fn data_dir(path: &Path) -> Result<String, String> {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok("is not there yet; the first start makes it".to_owned());
        }
        Err(error) => return Err(error.to_string()),
    };
    if !metadata.is_dir() {
        return Err("is not a directory".to_owned());
    }
    access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("cannot be written to: {}", io::Error::from(error)))?;
    let mode = metadata.permissions().mode() & 0o777;
    Ok(match mode & 0o077 {
        0 => "can be written to, by its owner alone".to_owned(),
        _ => format!("can be written to; it is open to other users of this computer (mode {mode:o})"),
    })
}

/// The database, and its replica if there is one.
fn database(config: &Config) -> Vec<Finding> {
    match config.storage_options() {
        StorageOptions::Sqlite(options) => {
            vec![(format!("database {}", options.path.display()), sqlite(config, &options.path))]
        }
        StorageOptions::Postgres(options) => {
            let inspection = tenantry_storage_postgres::inspect(&options).map_err(|error| error.to_string());
            let replica = options.read_url.as_ref().map(|url| {
                let found = match &inspection {
                    Ok(found) if found.version.is_some() => replica(&options),
                    _ => Ok("is not looked at before the database is there".to_owned()),
                };
                (format!("replica {url}"), found)
            });
            let database = (format!("database {}", options.url), inspection.map(|found| postgres(&found)));
            std::iter::once(database).chain(replica).collect()
        }
    }
}

fn sqlite(config: &Config, path: &Path) -> Result<String, String> {
    let in_data_dir = *config.settings().database() == Database::InDataDir;
    if in_data_dir && !config.settings().data_dir.exists() {
        return Ok("is not there yet; the first start makes it".to_owned());
    }
    let found = tenantry_storage_sqlite::inspect(path).map_err(|error| error.to_string())?;
    let Some(bytes) = found.bytes else {
        return Ok("is not there yet; the first start makes it".to_owned());
    };
    Ok(format!("is whole ({bytes} bytes); {}", schema(&found.pending_migrations)))
}

fn postgres(found: &Inspection) -> String {
    let server = format!("is served by PostgreSQL {}", found.server_version);
    let role = match found.is_served_by_bypassing_role {
        true => "; Row-Level Security does not hold this role: good for developing only",
        false => "",
    };
    let Some(bytes) = found.bytes else {
        return format!("{server}; the schema {} is not there yet{role}", found.schema);
    };
    let schema = schema(&found.pending_migrations);
    format!("{server}; the schema {} is there ({bytes} bytes); {schema}{role}", found.schema)
}

fn replica(options: &PostgresOptions) -> Result<String, String> {
    match tenantry_storage_postgres::inspect_replica(options) {
        Ok(Some(found)) => {
            Ok(format!("is a replica, served by PostgreSQL {}, and follows", found.server_version))
        }
        Ok(None) => Ok("is not configured".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn schema(pending_migrations: &[String]) -> String {
    match pending_migrations {
        [] => "its schema is up to date".to_owned(),
        pending => format!("the next start runs these migrations: {}", pending.join(", ")),
    }
}

/// The broker of jobs, if there is to be one.
fn broker(config: &Config) -> Option<Finding> {
    let options = config.rabbitmq_options(0)?;
    let looked = actix_web::rt::System::new().block_on(RabbitMqQueue::inspect(&options));
    let found = looked.map(|()| "lets this user in".to_owned()).map_err(|error| error.to_string());
    Some((format!("job queue {}", options.url), found))
}

fn address(listen: SocketAddr) -> Result<String, String> {
    match TcpListener::bind(listen) {
        Ok(_) => Ok("is free".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Ok("is in use now, by a running Tenantry perhaps".to_owned())
        }
        Err(error) => Err(format!("cannot be listened on: {error}")),
    }
}
