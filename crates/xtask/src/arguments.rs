//! The arguments of the tools: words, `--name value` and `--switch`.

use std::fmt;
use std::str::FromStr;

/// Why the arguments of a command line make no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentError(String);

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ArgumentError {}

/// What is still unread of a command line.
#[derive(Debug, Clone)]
pub struct Arguments(Vec<String>);

impl Arguments {
    /// These arguments.
    pub fn new(arguments: impl IntoIterator<Item = String>) -> Self {
        Self(arguments.into_iter().collect())
    }

    /// Takes the switch `name` out; whether it was there.
    pub fn switch(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() < before
    }

    /// Takes `name` and the value behind it out; the last one holds.
    ///
    /// # Errors
    /// When the value is missing or can't be read as a `T`.
    pub fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, ArgumentError> {
        let mut found = None;
        while let Some(place) = self.0.iter().position(|argument| argument == name) {
            self.0.remove(place);
            if place == self.0.len() {
                return Err(ArgumentError(format!("{name} needs a value")));
            }
            let text = self.0.remove(place);
            let value = text.parse().map_err(|_| ArgumentError(format!("{name} can't be {text}")))?;
            found = Some(value);
        }
        Ok(found)
    }

    /// Takes the first argument out, if it is a word.
    pub fn word(&mut self) -> Option<String> {
        let is_word = self.0.first().is_some_and(|argument| !argument.starts_with('-'));
        is_word.then(|| self.0.remove(0))
    }

    /// The words that are left.
    ///
    /// # Errors
    /// When one of them begins with a dash: then nobody knew it.
    pub fn words(self) -> Result<Vec<String>, ArgumentError> {
        match self.0.iter().find(|argument| argument.starts_with('-')) {
            Some(unknown) => Err(ArgumentError(format!("there is no {unknown}"))),
            None => Ok(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_values_and_switches_stand_in_any_order() {
        let mut arguments = arguments("P1 --seconds 5 --no-write P3 --seconds 7");
        assert_eq!(arguments.value("--seconds"), Ok(Some(7)));
        assert_eq!(arguments.value::<u64>("--rounds"), Ok(None));
        assert!(arguments.switch("--no-write"));
        assert!(!arguments.switch("--no-write"));
        assert_eq!(arguments.words(), Ok(vec!["P1".to_owned(), "P3".to_owned()]));
    }

    #[test]
    fn the_first_word_is_taken_where_it_stands_first() {
        let mut arguments = arguments("outage --server redis");
        assert_eq!(arguments.word().as_deref(), Some("outage"));
        assert_eq!(arguments.word(), None);
        assert_eq!(arguments.value::<String>("--server"), Ok(Some("redis".to_owned())));
    }

    #[test]
    fn what_is_unknown_missing_or_unreadable_is_refused() {
        assert!(arguments("--secnods 5").words().is_err());
        assert!(arguments("--seconds").value::<u64>("--seconds").is_err());
        assert!(arguments("--seconds five").value::<u64>("--seconds").is_err());
    }
}
