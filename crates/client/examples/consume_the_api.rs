//! Tenantry from a program of yours, in Rust.
//!
//! ```console
//! $ tenantry serve --demo            # in one shell; in another:
//! $ export TENANTRY_URL=http://127.0.0.1:8080 TENANTRY_KEY="$(cat tenantry-data/admin.key)" TENANTRY_TENANT=1
//! $ cargo run --package tenantry-client --example consume_the_api
//! ```
//!
//! A tenant's own key says which tenant is meant. An admin key must name one.

use std::env;
use std::error::Error;
use std::time::Duration;

use futures_util::TryStreamExt;
use tenantry_client::{
    Client, ClientError, EntityTag, EventQuery, JsonObject, NewEvent, Precondition, PutOptions,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name| env::var(name).map_err(|_| format!("the variable {name} is not set"));
    let mut builder = Client::builder(variable("TENANTRY_URL")?).key(variable("TENANTRY_KEY")?);
    if let Ok(tenant) = variable("TENANTRY_TENANT") {
        builder = builder.tenant(tenant);
    }
    let client = builder.user_agent("consume_the_api").timeout(Duration::from_secs(10)).build()?;

    // An event is stored, on disk, when the answer is there. The client gives it an id, so that it may send it again.
    let event = NewEvent::new("billing", "production", "order 4711 failed")
        .email("ada@example.com")
        .data(JsonObject::parse(r#"{"order": 4711, "reason": "card_declined"}"#)?);
    let stored = client.events().create(&event).await?.event;
    println!("stored event {} as number {} of its tenant", stored.id, stored.sequence);

    // A list is a stream that follows the cursors from page to page.
    let failures = EventQuery {
        components: vec!["billing".to_owned()],
        message: Some("FAILED".to_owned()),
        ..EventQuery::default()
    };
    let mut events = client.events().list(&failures);
    let mut count = 0;
    while count < 100 && events.try_next().await?.is_some() {
        count += 1;
    }
    println!("{count} events of the component billing tell of a failure");

    // A value's entity tag is its revision: write only over what you have read.
    let values = client.key_values();
    let first = values.put("colour", "teal", PutOptions::text()).await?;
    let unchanged =
        || PutOptions::text().under(Precondition::Matches(EntityTag::of_revision(first.revision)));
    let second = values.put("colour", "umber", unchanged()).await?;
    println!("the key colour went from revision {} to {}", first.revision, second.revision);
    println!("it holds {:?}", values.get("colour").await?.bytes);

    // Whoever still holds the first revision is told so: nothing is overwritten by accident.
    match values.put("colour", "pink", unchanged()).await {
        Err(error) if error.is_precondition_failed() => println!("as it should be: {error}"),
        other => return Err(format!("the write was not refused: {other:?}").into()),
    }

    // A refusal says which rules what was sent breaks, and where.
    match client.events().create(&NewEvent::new("", "production", "x").email("nobody")).await {
        Err(ClientError::Problem(problem)) => {
            println!("as it should be: {}", problem.code);
            for fault in &problem.errors {
                println!("  {} {}", fault.pointer, fault.detail);
            }
        }
        other => return Err(format!("the event was not refused: {other:?}").into()),
    }
    Ok(())
}
