//! Values of statements.

use std::marker::PhantomData;

use tenantry_domain::Timestamp;

use crate::engine::Engine;

/// A value that stands beside a statement's text.
#[derive(Debug, Clone, Copy)]
pub enum Bind<'a> {
    /// A text that was checked when it came in.
    Text(Option<&'a str>),
    /// A text as somebody else has written it, with whatever characters: the engine stores what it can of it.
    Foreign(Option<&'a str>),
    /// A number.
    Number(Option<i64>),
    /// Yes or no.
    Flag(bool),
    /// A time.
    Time(Option<Timestamp>),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// The values of a statement while its text is made, from left to right.
pub(crate) struct Binds<'a, E> {
    values: Vec<Bind<'a>>,
    engine: PhantomData<E>,
}

impl<'a, E: Engine> Binds<'a, E> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), engine: PhantomData }
    }

    /// What stands in the text for the value.
    pub(crate) fn add(&mut self, value: Bind<'a>) -> String {
        self.values.push(value);
        E::placeholder(self.values.len())
    }

    pub(crate) fn text(&mut self, text: &'a str) -> String {
        self.add(Bind::Text(Some(text)))
    }

    pub(crate) fn foreign(&mut self, text: &'a str) -> String {
        self.add(Bind::Foreign(Some(text)))
    }

    pub(crate) fn number(&mut self, number: i64) -> String {
        self.add(Bind::Number(Some(number)))
    }

    pub(crate) fn time(&mut self, time: Timestamp) -> String {
        self.add(Bind::Time(Some(time)))
    }

    /// What stands in the text for a time: itself, if the engine takes it so.
    pub(crate) fn time_or_literal(&mut self, time: Timestamp) -> String {
        E::time_literal(time).unwrap_or_else(|| self.time(time))
    }

    /// Runs the statement of that text.
    pub(crate) fn execute(&self, connection: &mut E::Connection, statement: &str) -> Result<usize, E::Error> {
        E::execute_with(connection, statement, &self.values)
    }
}
