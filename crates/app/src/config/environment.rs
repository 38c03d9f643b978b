//! The layer of environment variables.

use std::ffi::{OsStr, OsString};

use config::ValueKind;

use super::loader::Layer;
use super::problem::{Problem, Source};
use super::rules::{Rule, nearest_key, rule_of};

const PREFIX: &str = "TENANTRY_";

/// Variables that are no keys: the first names the user's file, the others are for clients.
const NO_KEYS: [&str; 5] =
    ["TENANTRY_CONFIG", "TENANTRY_URL", "TENANTRY_KEY", "TENANTRY_KEY_FILE", "TENANTRY_TENANT"];

/// What variables begin with that name servers for Tenantry's own tests: the program may run beside them.
const OF_TESTS: &str = "TENANTRY_TEST_";

/// The variable of a key: `TENANTRY_` and the key in capitals, `__` for each dot.
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Reads every variable that begins with `TENANTRY_`.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Vec<Problem>,
) -> Layer {
    let mut layer = Layer::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if NO_KEYS.contains(&name) || name.starts_with(OF_TESTS) || is_service_link(name, &value) {
            continue;
        }
        let key = name[PREFIX.len()..].replace("__", ".").to_ascii_lowercase();
        // Only the one spelling of a key counts, so that no two variables can mean the same.
        let Some(rule) = rule_of(&key).filter(|_| variable_of(&key) == name) else {
            let hint = nearest_key(&key).map(variable_of);
            let hint = hint.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            problems.push(Problem::new(format!("{name} is no key's variable{hint}")));
            continue;
        };
        let source = Source::Variable(name.to_owned());
        match value.to_str().ok_or_else(|| "must be UTF-8".to_owned()).and_then(|text| parse(rule, text)) {
            Ok(value) => layer.set(&key, value, source, problems),
            Err(fault) => problems.push(Problem::new(format!("{key} {fault} ({source})"))),
        }
    }
    layer
}

/// Reads text as what the rule asks for.
pub(super) fn parse(rule: &Rule, text: &str) -> Result<ValueKind, String> {
    match rule {
        Rule::Boolean => match text {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(format!("must be true or false, not \"{text}\"")),
        },
        Rule::Integer(_) => text
            .parse::<i64>()
            .map(ValueKind::from)
            .map_err(|_| format!("must be a whole number, not \"{text}\"")),
        Rule::Text(_) => Ok(text.into()),
        Rule::List(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(items.collect::<Vec<_>>().into())
        }
    }
}

/// Whether Kubernetes made the variable: it tells each container of the services around it, and one that
/// is called `tenantry` or `tenantry-…` gives names that begin as ours do.
fn is_service_link(name: &str, value: &OsStr) -> bool {
    let is_port_of = |name: &str, marker: &str| {
        name.rfind(marker)
            .is_some_and(|at| name[at + marker.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let is_url = value
        .to_str()
        .is_some_and(|value| ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme)));
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || is_port_of(name, "_PORT_")
        || name.ends_with("_PORT") && is_url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn a_variable_is_its_key_in_capitals_with_two_underscores_for_a_dot() {
        assert_eq!(variable_of("http.keep_alive_seconds"), "TENANTRY_HTTP__KEEP_ALIVE_SECONDS");
        assert_eq!(variable_of("listen"), "TENANTRY_LISTEN");
    }

    #[test]
    fn what_kubernetes_clients_and_tests_set_is_passed_over() {
        let mut problems = Vec::new();
        let found = read(
            variables(&[
                ("TENANTRY_SERVICE_HOST", "10.0.0.7"),
                ("TENANTRY_SERVICE_PORT", "8080"),
                ("TENANTRY_SERVICE_PORT_HTTP", "8080"),
                ("TENANTRY_PORT", "tcp://10.0.0.7:8080"),
                ("TENANTRY_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
                ("TENANTRY_PORT_8080_TCP_ADDR", "10.0.0.7"),
                ("TENANTRY_API_SERVICE_HOST", "10.0.0.7"),
                ("TENANTRY_CONFIG", "/etc/tenantry.toml"),
                ("TENANTRY_URL", "http://127.0.0.1:8080"),
                ("TENANTRY_KEY", "tnt_…"),
                ("TENANTRY_KEY_FILE", "/run/secrets/key"),
                ("TENANTRY_TENANT", "1_acme"),
                ("TENANTRY_TEST_REDIS_URL", "redis://127.0.0.1:6379"),
                ("PATH", "/bin"),
            ]),
            &mut problems,
        );
        assert_eq!(problems, []);
        assert!(found.is_empty());
    }

    #[test]
    fn a_variable_that_only_looks_like_a_key_is_refused() {
        for name in ["TENANTRY_listen", "TENANTRY_HTTP_WORKERS", "TENANTRY_HTTP.WORKERS", "TENANTRY_PORT"] {
            let mut problems = Vec::new();
            assert!(read(variables(&[(name, "1")]), &mut problems).is_empty());
            assert_eq!(problems.len(), 1, "{name}");
        }
    }
}
