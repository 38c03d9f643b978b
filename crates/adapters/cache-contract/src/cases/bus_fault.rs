//! A bus that fails is noticed.

use std::time::{Duration, Instant};

use tenantry_ports::Change;

use crate::bus_fixture::BusNode;
use crate::fault_fixture::BusFaultFixture;
use crate::recorded::BusEvent;
use crate::wait::until;

impl BusNode {
    fn count(&self, event: &BusEvent) -> usize {
        self.heard.all().iter().filter(|heard| *heard == event).count()
    }

    async fn loses_the_bus(&self) {
        until("the node loses the bus", async || self.count(&BusEvent::Lost) >= 1).await;
    }

    async fn joins_again(&self) {
        until("the node joins again", async || self.count(&BusEvent::Joined) >= 2).await;
    }
}

impl BusFaultFixture {
    async fn both_join_again_and_hear_each_other(&self) {
        self.first.joins_again().await;
        self.second.joins_again().await;
        self.first.announce(&[Change::Anything]).await;
        self.second.hears(1).await;
        let heard = self.second.heard.all();
        let expected =
            [BusEvent::Joined, BusEvent::Lost, BusEvent::Joined, BusEvent::Changed(Change::Anything)];
        assert_eq!(heard, expected);
    }
}

/// `lost` is told "within two seconds of not receiving any more (also where the peer only stopped answering)".
pub async fn a_server_that_freezes_is_lost_within_two_seconds_and_joined_again(f: &BusFaultFixture) {
    f.server.borrow_mut().freeze();
    let froze = Instant::now();
    f.first.loses_the_bus().await;
    f.second.loses_the_bus().await;
    assert!(froze.elapsed() < Duration::from_secs(2), "{:?}", froze.elapsed());
    f.server.borrow_mut().thaw();
    f.both_join_again_and_hear_each_other().await;
}

/// A connection that breaks is a bus that is lost.
pub async fn a_server_that_is_killed_is_lost_and_joined_again(f: &BusFaultFixture) {
    f.server.borrow_mut().kill();
    f.first.loses_the_bus().await;
    f.second.loses_the_bus().await;
    f.server.borrow_mut().restart();
    f.both_join_again_and_hear_each_other().await;
}

/// `announce`: "while it has not joined, announcing fails at once".
pub async fn while_the_bus_is_lost_announcing_fails_at_once(f: &BusFaultFixture) {
    f.server.borrow_mut().freeze();
    f.first.loses_the_bus().await;
    let began = Instant::now();
    for _ in 0..1_000 {
        assert!(f.first.bus.announce(vec![Change::Anything]).await.is_err());
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
