//! `tenantry tenant`.

use clap::{Subcommand, ValueEnum};
use tenantry_client::{
    Client, EntityTag, JsonObject, NewTenant, Precondition, TenantPatch, TenantQuery, TenantStatus,
};

use super::super::CommandError;
use super::output::{LimitArgs, Output};
use super::prompt;
use super::target::Session;

/// What is done with tenants.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum TenantCommand {
    /// List tenants, by number
    List {
        /// Only those that stand so
        #[arg(long, value_enum)]
        status: Option<Status>,
        /// Only those whose name begins so
        #[arg(long, value_name = "PREFIX")]
        name: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show a tenant
    Get {
        /// Its number or id
        which: Option<String>,
    },
    /// Create a tenant
    Create {
        /// Its name: 1 to 64 of A-Z a-z 0-9 . _ -
        name: Option<String>,
        /// A JSON object to be kept about it
        #[arg(long, value_name = "JSON", value_parser = json_object)]
        info: Option<JsonObject>,
    },
    /// Change a tenant's name or what is kept about it
    #[command(group = clap::ArgGroup::new("change").args(["name", "info", "merge_info"]).required(true).multiple(true))]
    Update {
        /// Its number or id
        which: Option<String>,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// A JSON object to be kept about it, in place of the one that is there
        #[arg(long, value_name = "JSON", value_parser = json_object, conflicts_with = "merge_info")]
        info: Option<JsonObject>,
        /// A JSON object to be merged into the one that is there (RFC 7396): a member that is null leaves
        #[arg(long, value_name = "JSON", value_parser = json_object)]
        merge_info: Option<JsonObject>,
    },
    /// Refuse a tenant's keys until it is active again; its data stays
    Suspend {
        /// Its number or id
        which: Option<String>,
    },
    /// End a suspension
    Activate {
        /// Its number or id
        which: Option<String>,
    },
    /// Delete a tenant with all of its data, for good
    #[command(
        long_about = "Delete a tenant with all of its data, for good.\n\nIts keys stop at once; its data is \
        erased in the background, and `tenantry tenant get` shows how far that is. At a terminal the tenant's id must \
        be typed once more; elsewhere --yes is needed."
    )]
    Delete {
        /// Its number or id
        which: Option<String>,
        /// Do not ask whether it is meant
        #[arg(long)]
        yes: bool,
    },
}

/// How a tenant stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::command) enum Status {
    Active,
    Suspended,
    Deleting,
}

impl TenantCommand {
    pub(super) async fn run(self, session: &Session, output: Output) -> Result<(), CommandError> {
        match self {
            Self::List { status, name, limit } => {
                let status = status.map(TenantStatus::from);
                let query = TenantQuery { status, name_prefix: name, page_limit: limit.page() };
                output.list(session.client()?.tenants().list(&query), limit).await
            }
            Self::Get { which } => {
                let which = tenant(which)?;
                output.one(&session.client()?.tenants().get(which).await?.value)
            }
            Self::Create { name, info } => {
                let name = prompt::needed(name, "NAME", "Name")?;
                let wanted = NewTenant::named(name).info(info.unwrap_or_default());
                output.one(&session.client()?.tenants().create(&wanted).await?.value)
            }
            Self::Update { which, name, info, merge_info } => {
                let which = tenant(which)?;
                let client = session.client()?;
                let changed = match info {
                    Some(info) => replace(&client, &which, name, info).await?,
                    None => {
                        let patch = TenantPatch { name, tenant_info: merge_info };
                        client.tenants().patch(which, &patch, &Precondition::None).await?.value
                    }
                };
                output.one(&changed)
            }
            Self::Suspend { which } => {
                let which = tenant(which)?;
                output.one(&session.client()?.tenants().suspend(which).await?.value)
            }
            Self::Activate { which } => {
                let which = tenant(which)?;
                output.one(&session.client()?.tenants().activate(which).await?.value)
            }
            Self::Delete { which, yes } => {
                let which = tenant(which)?;
                if !yes && !prompt::is_somebody_there() {
                    let text = "this deletes a tenant with all of its data: say that it is meant with --yes";
                    return Err(CommandError::Usage(text.to_owned()));
                }
                let client = session.client()?;
                let meant = match yes {
                    true => Precondition::None,
                    false => confirmed(&client, &which).await?,
                };
                output.one(&client.tenants().delete(which, &meant).await?.value)
            }
        }
    }
}

fn tenant(given: Option<String>) -> Result<String, CommandError> {
    prompt::needed(given, "TENANT", "Tenant (number or id)")
}

/// The information is replaced in the state in which the name was read: no change by others in between is lost.
async fn replace(
    client: &Client,
    which: &str,
    name: Option<String>,
    info: JsonObject,
) -> Result<tenantry_client::Tenant, CommandError> {
    let current = client.tenants().get(which).await?;
    let wanted = NewTenant::named(name.unwrap_or_else(|| current.name.clone())).info(info);
    let unchanged = Precondition::Matches(current.tag);
    Ok(client.tenants().replace(which, &wanted, &unchanged).await?.value)
}

/// Asks whether this tenant is meant; answers that it must be as it was shown.
async fn confirmed(client: &Client, which: &str) -> Result<Precondition, CommandError> {
    let current = client.tenants().get(which).await?;
    let id = &current.tenant_id;
    let question = format!("This deletes {id} with all of its data, for good. Type {id} if it is meant");
    if prompt::ask("the confirmation", &question)? == *id {
        Ok(Precondition::Matches(EntityTag::clone(&current.tag)))
    } else {
        Err(CommandError::Failed(format!("{id} was not deleted")))
    }
}

pub(super) fn json_object(text: &str) -> Result<JsonObject, String> {
    JsonObject::parse(text).map_err(|error| error.to_string())
}

impl From<Status> for TenantStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Suspended => Self::Suspended,
            Status::Deleting => Self::Deleting,
        }
    }
}
