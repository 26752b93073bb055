//! Who holds how many of a kind (connections, event streams), altogether and per peer.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts what is taken.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    whole: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// One that is taken; dropping it gives it back.
pub(crate) struct Seat {
    seats: Seats,
    peer: IpAddr,
}

impl Seats {
    /// One more for `peer`, unless there are `whole_max` or the peer has `per_peer_max`. A loopback
    /// peer is taken for a reverse proxy and has only the limit of the whole.
    pub(crate) fn take(&self, peer: IpAddr, whole_max: usize, per_peer_max: usize) -> Option<Seat> {
        let peer = network(peer);
        let mut taken = self.taken();
        let of_peer = taken.by_peer.get(&peer).copied().unwrap_or(0);
        let full = of_peer >= per_peer_max && !peer.is_loopback();
        if full || taken.whole >= whole_max {
            return None;
        }
        taken.whole += 1;
        taken.by_peer.insert(peer, of_peer + 1);
        Some(Seat {
            seats: self.clone(),
            peer,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An IPv6 customer is given a /64 at least: its addresses are one peer.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))
        }
        peer => peer,
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.whole = taken.whole.saturating_sub(1);
        if let Some(of_peer) = taken.by_peer.get_mut(&self.peer) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seats({} taken)", self.taken().whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_share_and_gets_it_back() {
        let seats = Seats::default();
        let take = |last| seats.take(IpAddr::from([192, 0, 2, last]), 3, 2);
        let (first, second) = (take(1), take(1));
        assert!(first.is_some() && second.is_some());
        assert!(take(1).is_none());
        let other = take(2);
        assert!(other.is_some());
        assert!(take(3).is_none());
        drop(first);
        assert!(take(1).is_some());
        drop((second, other));
        assert!(seats.taken().by_peer.is_empty());
    }

    #[test]
    fn a_proxy_on_this_machine_has_only_the_limit_of_the_whole() {
        let seats = Seats::default();
        for proxy in ["127.0.0.1", "::1"] {
            let take = || seats.take(proxy.parse().unwrap(), 2, 1);
            let taken = [take(), take()];
            assert!(taken.iter().all(Option::is_some), "{proxy}");
            assert!(take().is_none(), "{proxy}");
        }
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_peer() {
        let seats = Seats::default();
        let take = |address: &str| seats.take(address.parse().unwrap(), 9, 1);
        let first = take("2001:db8:0:1::1");
        assert!(first.is_some());
        assert!(take("2001:db8:0:1:ffff::2").is_none());
        assert!(take("2001:db8:0:2::1").is_some());
    }
}
