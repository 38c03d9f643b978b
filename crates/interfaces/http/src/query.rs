//! Reading a query string: strictly, since a filter that is quietly ignored shows too much.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use tenantry_domain::PageLimit;

use crate::problem::Problem;
use crate::problem_code::Code;

/// The most bytes that a query string may have.
const MAX_BYTES: usize = 16 * 1024;

/// The parameters of a query, decoded; only known names.
pub(crate) struct Query<'a> {
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads those parameters of `query` whose names are in `known`, and passes over all others: for routes whose
    /// clients may send anything else.
    pub(crate) fn parse_leniently(query: &'a str, known: &[&str]) -> Result<Self, Problem> {
        Self::read_pairs(query, known, |_| Ok(()))
    }

    /// Reads `query`, in which only the names in `known` may occur.
    pub(crate) fn parse(query: &'a str, known: &[&str]) -> Result<Self, Problem> {
        Self::read_pairs(query, known, |name| {
            let shown: String = name.chars().take(64).collect();
            let detail = format!("is not known here; known are {}", known.join(", "));
            Err(Problem::query(&shown, "unknown", detail))
        })
    }

    /// `unknown` says what becomes of a query with a parameter of another name.
    fn read_pairs(
        query: &'a str,
        known: &[&str],
        unknown: impl Fn(&str) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        if query.len() > MAX_BYTES {
            return Err(Problem::new(
                Code::InvalidQuery,
                format!("the query may have at most {MAX_BYTES} bytes"),
            ));
        }
        let mut parameters = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if !known.contains(&name.as_ref()) {
                unknown(&name)?;
                continue;
            }
            let value = decode(value)?;
            if value.contains('\0') {
                return Err(Problem::query(&name, "nul", "must not contain the character U+0000"));
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    /// The value of a parameter that may occur once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values =
            self.parameters.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_ref());
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Problem::query(name, "repeated", "may occur only once")),
        }
    }

    /// The first value of a parameter, however often it occurs.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_ref())
    }

    /// The values of a parameter that may be repeated, at most `most` times.
    pub(crate) fn all(&self, name: &str, most: usize) -> Result<Vec<String>, Problem> {
        let values = self.parameters.iter().filter(|(found, _)| found == name);
        let values: Vec<String> = values.map(|(_, value)| value.to_string()).collect();
        if values.len() > most {
            return Err(Problem::query(name, "repeated", format!("may occur at most {most} times")));
        }
        Ok(values)
    }

    /// The value of a parameter, read by `read`; `form` says what it must be.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.one(name)? {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(Problem::query(name, "value", format!("must be {form}"))),
            },
        }
    }

    /// `limit`, or its default.
    pub(crate) fn limit(&self) -> Result<PageLimit, Problem> {
        let limit =
            self.read("limit", "a whole number from 1 to 1000", |text| PageLimit::new(whole_number(text)?))?;
        Ok(limit.unwrap_or_default())
    }
}

/// Whether a pair of a query is the parameter of this name, however that is encoded.
pub(crate) fn is_parameter(pair: &str, name: &str) -> bool {
    let found = pair.split_once('=').map_or(pair, |(found, _)| found);
    decode(found).is_ok_and(|found| found == name)
}

/// Digits alone: no sign, no blanks.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    (text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn decode(text: &str) -> Result<Cow<'_, str>, Problem> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    if !percent_signs_are_escapes(text.as_bytes()) {
        return Err(Problem::new(
            Code::InvalidQuery,
            "a percent sign in the query must be followed by two hexadecimal digits",
        ));
    }
    let bytes: Vec<u8> = percent_decode(text.replace('+', " ").as_bytes()).collect();
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| Problem::new(Code::InvalidQuery, "the query is not UTF-8"))
}

/// Whether every `%` is followed by two hexadecimal digits (RFC 3986, section 2.1).
pub(crate) fn percent_signs_are_escapes(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| {
        *byte != b'%'
            || text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("a=x%20y+z&b=%C3%A9&a=2", &["a", "b"]).unwrap();
        assert_eq!(query.all("a", 2).unwrap(), ["x y z", "2"]);
        assert_eq!(query.one("b").unwrap(), Some("é"));
        assert!(query.one("a").is_err());
        assert!(query.all("a", 1).is_err());
        assert_eq!(query.one("c").unwrap(), None);
    }

    #[test]
    fn a_lenient_reader_passes_over_what_it_does_not_know() {
        let query = Query::parse_leniently("x=1&a=2&a=3&y=%00", &["a", "b"]).unwrap();
        assert_eq!((query.first("a"), query.first("b"), query.first("x")), (Some("2"), None, None));
        assert!(Query::parse_leniently("a=%ff", &["a"]).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for query in ["c=1", "a=%zz", "a=%f", "a=%ff", "a=%00", "A=1"] {
            let problem = Query::parse(query, &["a"]).err().unwrap();
            assert_eq!(problem.code, Code::InvalidQuery, "{query}");
        }
    }

    #[test]
    fn a_limit_is_a_plain_number_from_one_to_a_thousand() {
        let limit = |text: &str| Query::parse(text, &["limit"]).unwrap().limit().map(PageLimit::get);
        assert_eq!(limit("").ok(), Some(50));
        assert_eq!(limit("limit=1000").ok(), Some(1000));
        for text in [
            "limit=",
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=+5",
            "limit=1.0",
            "limit=99999999999999999999",
        ] {
            assert!(limit(text).is_err(), "{text}");
        }
    }
}
