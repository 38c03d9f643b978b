use super::*;

#[test]
fn a_channel_is_the_schemas_own_and_a_name_that_postgresql_takes_whole() {
    let names = ["tenantry", "tenantry2", "", &"x".repeat(63), &"ö\"'".repeat(20)];
    let channels: Vec<_> = names.iter().map(|name| channel(name)).collect();
    for (at, channel) in channels.iter().enumerate() {
        assert!(
            channel.len() < 64 && channel.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        );
        assert!(!channels[..at].contains(channel), "{channel}");
    }
}

#[test]
fn nodes_of_other_versions_know_the_same_channel() {
    assert_eq!(channel("tenantry"), "tenantry_changes_c3fc7128e4d08124");
}

#[tokio::test]
async fn a_node_that_was_never_on_the_bus_announces_nothing() {
    let url = crate::url::PostgresUrl::parse("postgres://127.0.0.1:1/nowhere").unwrap();
    let bus = PostgresBus::new(&PostgresOptions::new(url));
    assert!(matches!(bus.announce(vec![Change::Anything]).await, Err(BusError::Unavailable(_))));
}
