//! What to try first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::Demo;

impl Demo {
    /// What `tenantry serve --demo` prints: the addresses, and commands that work as they stand.
    #[must_use]
    pub fn guide(&self, address: SocketAddr, admin_key_file: &Path) -> String {
        let base = format!("http://{}", reachable(address));
        let [list, key_value, search, catalog] = self.commands(&base, admin_key_file);
        format!(
            "\n  API    {base}/api/v1\n  Docs   {base}/docs\n\n\
             Sample tenants, events, key-values and a catalog are there. In another shell:\n\n\
             # the newest events of tenant {tenant}\n{list}\n\n\
             # a value, stored and read again\n{key_value}\n\n\
             # what failed at the checkout in production\n{search}\n\n\
             # what is on in the first half of 2027\n{catalog}\n\n",
            tenant = self.first_tenant(),
        )
    }

    /// Some commands for a shell.
    fn commands(&self, base: &str, admin_key_file: &Path) -> [String; 4] {
        let key_file = quoted(&admin_key_file.to_string_lossy());
        let curl = format!(
            "curl -sS -H \"Authorization: Bearer $(cat {key_file})\" -H 'Tenantry-Tenant: {}'",
            self.first_tenant()
        );
        let api = format!("{base}/api/v1");
        [
            format!("{curl} '{api}/events?limit=3'"),
            format!(
                "{curl} -X PUT -H 'Content-Type: text/plain' --data 'hello' '{api}/kv/greeting' && \
                 {curl} '{api}/kv/greeting'"
            ),
            format!("{curl} '{api}/events?component=checkout&environment=production&message=failed'"),
            format!("{curl} '{api}/search?starts_at=2027-01-01&ends_at=2027-06-30'"),
        ]
    }
}

/// The address at which a client on this computer finds a server that listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_only_where_a_shell_would_misread_it() {
        assert_eq!(quoted("/srv/tenantry-data/admin.key"), "/srv/tenantry-data/admin.key");
        assert_eq!(quoted("/my data/it's.key"), r"'/my data/it'\''s.key'");
    }

    #[test]
    fn commands_go_to_an_address_that_can_be_reached() {
        let reached = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(reached("[::]:80"), "[::1]:80");
        assert_eq!(reached("10.0.0.1:80"), "10.0.0.1:80");
    }
}
