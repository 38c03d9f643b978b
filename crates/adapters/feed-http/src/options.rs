//! What a fetch may cost.

use std::time::Duration;

/// How feeds are fetched over HTTP. The defaults are those of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedHttpOptions {
    /// Whether addresses that are not public (loopback, private networks, …) may be fetched from; off by default, since
    /// whoever may write a tenant's feeds could otherwise look into the network that Tenantry stands in.
    pub allow_private_addresses: bool,
    /// How long resolving, connecting and TLS may take together: 10 seconds by default.
    pub connect_timeout: Duration,
    /// How long from the request until the head of its answer: 30 seconds by default.
    pub answer_timeout: Duration,
    /// How long a provider may send nothing while it sends its body: 30 seconds by default. Time in which the sink
    /// takes nothing is not counted.
    pub idle_timeout: Duration,
    /// How long one attempt may take: 10 minutes by default.
    pub attempt_timeout: Duration,
    /// How long all attempts of a fetch may take together, with the waits between them: 30 minutes by default.
    pub fetch_timeout: Duration,
    /// How often a provider is asked in one fetch: 6 by default.
    pub max_attempts: u32,
    /// The first wait between two attempts is a random time up to this, each further one up to twice as long: 1 second
    /// by default.
    pub first_backoff: Duration,
    /// No wait is longer than this, not even one that the provider asked for with `Retry-After`: 2 minutes by default.
    pub max_backoff: Duration,
    /// After so many fetches of one host for one tenant that failed in a row it is left alone: 5 by default.
    pub breaker_failures: u32,
    /// For so long; then one fetch may try again: 5 minutes by default.
    pub breaker_pause: Duration,
    /// How many feeds are read at the same moment; waiting for a provider or for the sink is not reading. Half of the
    /// machine's processors by default, and at least one.
    pub readers: usize,
    /// What a feed may be.
    pub limits: FeedLimits,
}

impl Default for FeedHttpOptions {
    fn default() -> Self {
        Self {
            allow_private_addresses: false,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(600),
            fetch_timeout: Duration::from_secs(1800),
            max_attempts: 6,
            first_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(120),
            breaker_failures: 5,
            breaker_pause: Duration::from_secs(300),
            readers: std::thread::available_parallelism()
                .map_or(1, |processors| processors.get().div_ceil(2)),
            limits: FeedLimits::default(),
        }
    }
}

/// What a feed may be. Past the bounds of a plan that plan is rejected; past the others the feed cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLimits {
    /// The most bytes of a feed, as it is sent and decompressed: 4 GiB by default.
    pub max_feed_bytes: u64,
    /// How many times larger than what was sent a feed may become by decompression, once it is larger than 16 MiB: 400
    /// by default.
    pub max_expansion: u64,
    /// The most bytes of one tag, text, comment or the like: 256 KiB by default.
    pub max_element_bytes: usize,
    /// The most attributes of one element: 64 by default.
    pub max_attributes: usize,
    /// How deep elements may stand within each other: 16 by default.
    pub max_depth: usize,
    /// The most zones of one plan: 10,000 by default.
    pub max_plan_zones: usize,
    /// The most bytes of one plan, with its zones: 4 MiB by default.
    pub max_plan_bytes: usize,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            max_feed_bytes: 4 << 30,
            max_expansion: 400,
            max_element_bytes: 256 << 10,
            max_attributes: 64,
            max_depth: 16,
            max_plan_zones: 10_000,
            max_plan_bytes: 4 << 20,
        }
    }
}
