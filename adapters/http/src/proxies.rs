//! Who is asking: the socket's peer, unless that peer is a proxy the operator trusts (WB-14, A07,
//! A08).

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderMap;
use narthex_core::model::Cidr;

/// The other end of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address. `X-Forwarded-For` counts only where this is a trusted proxy.
    pub address: IpAddr,
}

/// The address of who asks: the rightmost hop of `X-Forwarded-For` that is no trusted proxy. A hop
/// that is no address ends the walk: what is left of it was written by nobody we trust.
pub(crate) fn asker_address(peer: Peer, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|cidr| cidr.contains(ip));
    let mut address = peer.address.to_canonical();
    if !is_trusted(address) {
        return address;
    }
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(ip) = hop_address(hop.trim()) else {
            break;
        };
        address = ip.to_canonical();
        if !is_trusted(address) {
            break;
        }
    }
    address
}

fn hop_address(hop: &str) -> Option<IpAddr> {
    if let Ok(ip) = hop.parse() {
        return Some(ip);
    }
    hop.parse::<std::net::SocketAddr>().ok().map(|s| s.ip())
}

/// The network that budgets count by: the IPv4 address, or the /64 of an IPv6 address, which is
/// what one household or one classroom holds.
pub(crate) fn source(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let network = u128::from(ip) & (u128::MAX << 64);
            format!("{}/64", Ipv6Addr::from(network))
        }
    }
}

/// As budgets count it, of an address as servers write it, with a port or without: for the
/// [`source`](narthex_core::Asker::source) of applications that ask the engine themselves. `None`: it is no
/// address.
pub fn source_of(written: &str) -> Option<String> {
    hop_address(written).map(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<Cidr> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        let peer = Peer {
            address: peer.parse().unwrap(),
        };
        source(asker_address(peer, &headers, &trusted))
    }

    #[test]
    fn a08_a_peer_that_is_not_trusted_cannot_name_another_address() {
        for forwarded in [
            "1.2.3.4",
            "127.0.0.1",
            "1.2.3.4, 10.0.0.1",
            "::1",
            "garbage",
        ] {
            assert_eq!(ask("203.0.113.9", &[forwarded], &[]), "203.0.113.9");
            assert_eq!(
                ask("203.0.113.9", &[forwarded], &["10.0.0.0/8"]),
                "203.0.113.9"
            );
        }
    }

    #[test]
    fn a08_behind_trusted_proxies_the_rightmost_untrusted_hop_asks() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(ask("10.0.0.1", &["198.51.100.7"], &trusted), "198.51.100.7");
        assert_eq!(
            ask("10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.0.0.2"], &trusted),
            "198.51.100.7"
        );
        assert_eq!(
            ask("10.0.0.1", &["6.6.6.6", "198.51.100.7"], &trusted),
            "198.51.100.7"
        );
        assert_eq!(
            ask("10.0.0.1", &["198.51.100.7:4711"], &trusted),
            "198.51.100.7"
        );
        assert_eq!(
            ask("10.0.0.1", &["6.6.6.6, nonsense"], &trusted),
            "10.0.0.1"
        );
        assert_eq!(ask("10.0.0.1", &[], &trusted), "10.0.0.1");
        assert_eq!(
            ask("::ffff:10.0.0.1", &["198.51.100.7"], &trusted),
            "198.51.100.7"
        );
    }

    #[test]
    fn an_ipv6_asker_is_its_slash_64() {
        assert_eq!(ask("2001:db8:1:2:3:4:5:6", &[], &[]), "2001:db8:1:2::/64");
        assert_eq!(ask("::ffff:198.51.100.7", &[], &[]), "198.51.100.7");
    }
}
