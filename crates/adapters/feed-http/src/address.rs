//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public; nothing for one that is. The tables are IANA's registries of special-purpose addresses
/// (RFC 6890 and what came after it) of 2025, with what is multicast and what is not allocated.
///
/// An IPv6 address that stands for an IPv4 address is what that one is.
pub(crate) fn why_not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => why_not_public_v4(address),
        IpAddr::V6(address) => why_not_public_v6(address),
    }
}

const V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "\"this network\" (RFC 791)"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private (RFC 1918)"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a provider's customers (RFC 6598)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback (RFC 1122)"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local (RFC 3927)"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private (RFC 1918)"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols (RFC 6890)"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation (RFC 5737)"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a former 6to4 relay (RFC 7526)"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private (RFC 1918)"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks (RFC 2544)"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation (RFC 5737)"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation (RFC 5737)"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast (RFC 5771)"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved (RFC 1112)"),
];

const V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified (RFC 4291)"),
    (Ipv6Addr::LOCALHOST, 128, "loopback (RFC 4291)"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols (RFC 2928)"),
    (Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0), 32, "for documentation (RFC 3849)"),
    (Ipv6Addr::new(0x3FFF, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation (RFC 9637)"),
    (Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0), 7, "unique local (RFC 4193)"),
    (Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local (RFC 4291)"),
    (Ipv6Addr::new(0xFEC0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local (RFC 3879)"),
    (Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast (RFC 4291)"),
];

fn why_not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let differing = |network: Ipv4Addr| u32::from(address) ^ u32::from(network);
    V4.iter().find(|(network, bits, _)| differing(*network).leading_zeros() >= *bits).map(|(.., why)| *why)
}

fn why_not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(embedded) = embedded_v4(address) {
        return why_not_public_v4(embedded);
    }
    let differing = |network: Ipv6Addr| u128::from(address) ^ u128::from(network);
    let special = V6.iter().find(|(network, bits, _)| differing(*network).leading_zeros() >= *bits);
    // Global unicast is 2000::/3 alone so far (RFC 4291, and IANA's registry).
    let is_unicast = address.segments()[0] >> 13 == 1;
    special.map(|(.., why)| *why).or((!is_unicast).then_some("not global unicast (RFC 4291)"))
}

/// The IPv4 address that an IPv6 address stands for.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        // Mapped (RFC 4291), translated (RFC 2765), and NAT64's well-known prefix (RFC 6052).
        [0, 0, 0, 0, 0, 0xFFFF, high, low]
        | [0, 0, 0, 0, 0xFFFF, 0, high, low]
        | [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => Some(last(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(last(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> Option<&'static str> {
        why_not_public(text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
    }

    #[test]
    fn public_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert_eq!(why(text), None, "{text}");
        }
    }

    #[test]
    fn all_others_are_told_apart_at_their_edges() {
        for (texts, reason) in [
            (&["0.0.0.0", "0.255.255.255"][..], "this network"),
            (
                &[
                    "10.0.0.0",
                    "10.255.255.255",
                    "172.16.0.0",
                    "172.31.255.255",
                    "192.168.0.0",
                    "192.168.255.255",
                ],
                "private",
            ),
            (&["100.64.0.0", "100.127.255.255"], "customers"),
            (&["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"], "loopback"),
            (&["169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::1", "febf::1"], "link-local"),
            (
                &["192.0.2.1", "198.51.100.255", "203.0.113.0", "2001:db8::1", "3fff::1", "3fff:fff::1"],
                "documentation",
            ),
            (&["198.18.0.0", "198.19.255.255"], "benchmarks"),
            (&["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1"], "multicast"),
            (
                &["240.0.0.0", "255.255.255.255", "192.0.0.1", "192.0.0.255", "2001::1", "2001:1ff::1"],
                "reserved",
            ),
            (&["192.88.99.1"], "6to4"),
            (&["::"], "unspecified"),
            (&["fc00::1", "fdff::1"], "unique local"),
            (&["fec0::1"], "site-local"),
            (&["::7f00:1", "64:ff9b:1::1", "100::1", "4000::1", "5f00::1", "1fff::1"], "not global unicast"),
        ] {
            for text in texts {
                assert!(why(text).is_some_and(|why| why.contains(reason)), "{text}: {:?}", why(text));
            }
        }
    }

    #[test]
    fn an_address_in_another_is_what_that_one_is() {
        for form in ["::ffff:", "::ffff:0:", "64:ff9b::"] {
            for inner in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0"] {
                assert_eq!(why(&format!("{form}{inner}")), why(inner), "{form}{inner}");
            }
        }
        assert_eq!(why("2002:7f00:1::"), why("127.0.0.1"));
        assert_eq!(why("2002:a9fe:a9fe::1"), why("169.254.169.254"));
    }
}
