//! As much of HTTP/1.1 as a client on the same machine needs.

mod client;
mod response;
mod template;

pub(crate) use client::{Answer, Client};
pub(crate) use response::{MAX_HEADERS, Parsed, Response, parse};
pub(crate) use template::Template;
