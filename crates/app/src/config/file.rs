//! The layers that are TOML: the defaults, and the user's file.

use std::path::Path;

use config::ValueKind;
use toml::de::{DeTable, DeValue};

use super::loader::Layer;
use super::problem::{Problem, Source};
use super::rules::{Rule, nearest_key, rule_of};

/// Reads the user's file.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Layer {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let source = |line| Source::File { path: path.to_owned(), line };
            parse(&text, &source, problems)
        }
        Err(error) => {
            problems.push(Problem::new(format!(
                "the configuration file {} cannot be read: {error}",
                path.display()
            )));
            Layer::default()
        }
    }
}

/// Reads TOML; `source` says of a line where that is.
pub(super) fn parse(text: &str, source: &dyn Fn(usize) -> Source, problems: &mut Vec<Problem>) -> Layer {
    let mut reader = Reader { text, source, problems, layer: Layer::default() };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            let place = reader.source_at(error.span().map_or(0, |span| span.start));
            reader.problems.push(Problem::new(format!("{place} is not TOML: {}", error.message())));
        }
    }
    reader.layer
}

struct Reader<'a> {
    text: &'a str,
    source: &'a dyn Fn(usize) -> Source,
    problems: &'a mut Vec<Problem>,
    layer: Layer,
}

impl Reader<'_> {
    fn source_at(&self, offset: usize) -> Source {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        (self.source)(1 + before.iter().filter(|byte| **byte == b'\n').count())
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let source = self.source_at(name.span().start);
            match (rule_of(&key), value.get_ref()) {
                (Some(rule), value) => match convert(rule, value) {
                    Ok(value) => self.layer.set(&key, value, source, self.problems),
                    Err(fault) => {
                        self.problems.push(Problem::new(format!("{key} {fault} ({source})")));
                    }
                },
                (None, DeValue::Table(section)) if !section.is_empty() => {
                    self.table(&format!("{key}."), section);
                }
                (None, DeValue::Table(_)) => {}
                (None, _) => {
                    let hint = nearest_key(&key);
                    let hint = hint.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                    self.problems.push(Problem::new(format!("{key} is no key ({source}){hint}")));
                }
            }
        }
    }
}

fn convert(rule: &Rule, value: &DeValue<'_>) -> Result<ValueKind, String> {
    match (rule, value) {
        (Rule::Boolean, DeValue::Boolean(value)) => Ok((*value).into()),
        (Rule::Integer(_), DeValue::Integer(number)) => i64::from_str_radix(number.as_str(), number.radix())
            .map(ValueKind::from)
            .map_err(|_| format!("is {number}, which is too large a number")),
        (Rule::Text(_), DeValue::String(text)) => Ok(text.as_ref().into()),
        (Rule::List(_), DeValue::Array(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            texts.map(ValueKind::from).ok_or_else(|| "must be a list of strings".to_owned())
        }
        (Rule::Boolean, _) => Err(format!("must be true or false, not {}", kind_of(value))),
        (Rule::Integer(_), _) => Err(format!("must be a whole number, not {}", kind_of(value))),
        (Rule::Text(_), _) => Err(format!("must be a string, not {}", kind_of(value))),
        (Rule::List(_), _) => Err(format!("must be a list of strings, not {}", kind_of(value))),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
