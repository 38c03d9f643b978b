//! The tenantry binary as a library: configuration, wiring and command line.
//!
//! What belongs here: which adapter is put behind which port, what runs in the background, and in what
//! order things start and stop. What never will: a business rule, SQL, or a route.
//!
//! [`config`] reads what is to be; [`application`] builds and runs it; [`command`] is the command line.
//! Tests start the real thing on port 0 with [`Application::build`](application::Application::build).

pub mod application;
pub mod command;
pub mod config;
pub mod data_dir;
pub mod demo;
mod huge_pages;
pub mod logging;
pub mod sample_tenants;
