//! The storage from outside: the contract of the ports, and what is SQLite's own.

mod contract;
mod support;
