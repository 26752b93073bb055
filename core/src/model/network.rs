//! Networks by their addresses, and those an operator named.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A network: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// A network was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network: write 10.0.0.0/8, fd00::/8 or a single address")]
pub struct CidrError(String);

/// A network that an operator knows: a school's address, behind which many people are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedNetwork {
    /// Its addresses; they share one budget.
    pub cidr: Cidr,
    /// How many people are behind it: its budget grows with them.
    pub people: u32,
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let wrong = || CidrError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| wrong())?
            }
            Some(_) => return Err(wrong()),
            None => most,
        };
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Cidr {
    /// Whether `address` lies in this network. An IPv4 address inside IPv6 is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                u32::from(net) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.bits))
                    .unwrap_or(0);
                u128::from(net) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }

    /// Whether budgets can tell it apart: they count IPv6 by the /64.
    pub fn is_countable(&self) -> bool {
        self.address.is_ipv4() || self.bits <= 64
    }
}

impl NamedNetwork {
    /// The first of `networks` that the source of a request lies in: an address, or an address with
    /// `/64`.
    pub fn of<'a>(source: &str, networks: &'a [Self]) -> Option<&'a Self> {
        let address = source.strip_suffix("/64").unwrap_or(source);
        let address: IpAddr = address.parse().ok()?;
        networks
            .iter()
            .find(|network| network.cidr.contains(address))
    }
}

/// The IPv6 network of `bits` around a source: an address, or an address with `/64`. `None`: no IPv6.
pub(crate) fn wider_network(source: &str, bits: u8) -> Option<String> {
    let address = source.strip_suffix("/64").unwrap_or(source);
    let IpAddr::V6(address) = address.parse::<IpAddr>().ok()?.to_canonical() else {
        return None;
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    let first = Ipv6Addr::from(u128::from(address) & mask);
    Some(format!("{first}/{bits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_strictly() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "::/129",
            "10.0.0/8",
            "x",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn a_source_lies_in_wider_networks_if_it_is_ipv6() {
        let wider = |source, bits| wider_network(source, bits);
        let source = "2001:db8:1:2ff::/64";
        assert_eq!(wider(source, 56).unwrap(), "2001:db8:1:200::/56");
        assert_eq!(wider(source, 48).unwrap(), "2001:db8:1::/48");
        assert_eq!(wider("2001:db8:1:2ff::9", 48).unwrap(), "2001:db8:1::/48");
        for none in ["198.51.100.7", "::ffff:198.51.100.7", "", "local"] {
            assert_eq!(wider(none, 48), None, "{none}");
        }
    }

    #[test]
    fn a_source_is_in_the_network_that_holds_it() {
        let named = |cidr: &str| NamedNetwork {
            cidr: cidr.parse().unwrap(),
            people: 600,
        };
        let networks = [named("198.51.100.0/24"), named("2001:db8:1::/48")];
        let of = |source| NamedNetwork::of(source, &networks).map(|n| n.cidr.to_string());
        assert_eq!(of("198.51.100.7").unwrap(), "198.51.100.0/24");
        assert_eq!(of("2001:db8:1:2::/64").unwrap(), "2001:db8:1::/48");
        for outside in ["198.51.101.7", "2001:db8:2::/64", "", "local"] {
            assert_eq!(of(outside), None, "{outside}");
        }
    }
}
