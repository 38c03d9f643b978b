//! Questions to a private RabbitMQ, past the product, by its own `rabbitmqctl`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Result;
use crate::private::PrivateServer;

#[derive(Deserialize)]
struct Queue {
    name: String,
    messages: u64,
}

/// How many messages stand in each queue, those that are with a consumer included.
pub(crate) fn messages(rabbitmq: &PrivateServer) -> Result<BTreeMap<String, u64>> {
    let mut list = rabbitmq.rabbitmqctl()?;
    let output = list.args(["--quiet", "--formatter=json", "list_queues", "name", "messages"]).output()?;
    if !output.status.success() {
        return Err(format!("rabbitmqctl: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    read(&output.stdout)
}

fn read(output: &[u8]) -> Result<BTreeMap<String, u64>> {
    let queues: Vec<Queue> = serde_json::from_slice(output)?;
    Ok(queues.into_iter().map(|queue| (queue.name, queue.messages)).collect())
}

#[test]
fn queues_are_read_with_their_messages() {
    let queues =
        read(br#"[ {"name":"t.jobs","messages":3} ,{"name":"t.jobs.aside","messages":0} ]"#).unwrap();
    assert_eq!(queues, BTreeMap::from([("t.jobs".to_owned(), 3), ("t.jobs.aside".to_owned(), 0)]));
}
