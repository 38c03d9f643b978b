//! One attempt to fetch a feed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reqwest::{Client, Response, Url};
use tenantry_ports::{FeedRequest, FeedSink, FetchEnd, FetchError};

use super::body::body;
use super::fault::Fault;
use super::request::{Answer, ask, compression, validators};
use super::resolver::AddressRule;
use crate::delivery::Delivery;
use crate::options::FeedHttpOptions;
use crate::reading::{Gauge, ReadError};
use crate::turns::Turns;

/// What an attempt needs.
pub(crate) struct Attempt<'a> {
    pub(crate) client: &'a Client,
    pub(crate) options: &'a FeedHttpOptions,
    pub(crate) rule: AddressRule,
    pub(crate) url: &'a Url,
    pub(crate) request: &'a FeedRequest,
    pub(crate) sink: &'a dyn FeedSink,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) turns: &'a Turns,
    /// Set when the sink is first asked to take records.
    pub(crate) has_delivered: &'a AtomicBool,
}

impl Attempt<'_> {
    /// Asks, and hands on what is answered.
    pub(crate) async fn run(self) -> Result<FetchEnd, Fault> {
        match ask(self.client, self.options, self.rule, self.url.clone(), &self.request.validators).await? {
            Answer::NotModified => Ok(FetchEnd::NotModified),
            Answer::Feed(response) => self.read(response).await,
        }
    }

    async fn read(self, response: Response) -> Result<FetchEnd, Fault> {
        let validators = validators(&response);
        let compression = compression(&response)?;
        let reader = self.turns.reader();
        let (pump, source) = body(response, self.options.idle_timeout, Arc::clone(&reader));
        let delivery = Delivery {
            source,
            compression,
            limits: self.options.limits.clone(),
            time_zone: self.request.time_zone,
            gauge: self.gauge,
            reader,
        };
        let delivery = delivery.run(self.sink, self.has_delivered);
        let (pump, delivery) = (Box::pin(pump.run()), Box::pin(delivery));
        tokio::pin!(pump, delivery);
        let mut broken = None;
        let read = tokio::select! {
            // What has been read counts for more than what came after it.
            biased;
            read = &mut delivery => read,
            pumped = &mut pump => {
                broken = pumped.err();
                delivery.await
            }
        };
        match read {
            Ok(()) => Ok(FetchEnd::Whole(validators)),
            Err(ReadError::Closed) => Err(Fault::Lasting(FetchError::Stopped)),
            Err(ReadError::Unreadable(text)) => Err(Fault::unreadable(text)),
            Err(error @ ReadError::EndsEarly(_)) => Err(Fault::passing(error.to_string())),
            Err(ReadError::Source(text)) => Err(Fault::passing(broken.unwrap_or(text))),
        }
    }
}
