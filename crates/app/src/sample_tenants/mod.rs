//! Files of sample tenants: a JSON array of
//! `{"id": "1", "tenant_id": "Jacklyn91", "email": "…", "desc": "…", "address": ["…", …]}`.
//!
//! `id` is dropped, the e-mail address is put in lower case, the address is joined with `", "`, and what
//! is left becomes the tenant's info: `{"email", "address", "description"}`.

mod store;

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tenantry_domain::{NewTenant, TenantDraft};
use validator::ValidateEmail;

pub use store::{Seeded, store_missing};

/// A tenant of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleTenant {
    /// What is to be stored.
    pub tenant: NewTenant,
    /// Its e-mail address, which with its name tells whether it is there already.
    pub email: String,
}

/// One fault in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Which item of the array, from 0; nothing where the file as a whole is at fault.
    pub index: Option<usize>,
    /// Where, as a JSON pointer into the file.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "row {index}, {}: {}", self.pointer, self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

/// Reads a whole file.
///
/// # Errors
/// Every fault in it.
pub fn parse(text: &str) -> Result<Vec<SampleTenant>, Vec<RowFault>> {
    let whole = |detail: String| vec![RowFault { index: None, pointer: String::new(), detail }];
    let rows: Value = serde_json::from_str(text).map_err(|error| whole(format!("is not JSON: {error}")))?;
    let Value::Array(rows) = rows else {
        return Err(whole("must be a JSON array of tenants".to_owned()));
    };
    let mut faults = Vec::new();
    let mut tenants = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        tenants.extend(Row { index, faults: &mut faults }.read(row));
    }
    if faults.is_empty() { Ok(tenants) } else { Err(faults) }
}

/// What is stored about a tenant of the file; the order of the members is kept.
#[derive(Serialize)]
struct Info<'a> {
    email: &'a str,
    address: &'a str,
    description: &'a str,
}

struct Row<'a> {
    index: usize,
    faults: &'a mut Vec<RowFault>,
}

impl Row<'_> {
    /// The tenant of this row; nothing where the row has faults.
    fn read(&mut self, row: &Value) -> Option<SampleTenant> {
        let Value::Object(row) = row else {
            self.fault("", "must be a JSON object");
            return None;
        };
        let known = ["id", "tenant_id", "email", "desc", "address"];
        for name in row.keys().filter(|name| !known.contains(&name.as_str())) {
            let detail = format!("is none of the members of a sample tenant, which are {}", known.join(", "));
            self.fault(&format!("/{}", name.replace('~', "~0").replace('/', "~1")), detail);
        }
        let name = self.text(row, "tenant_id");
        let email = self.text(row, "email").map(str::to_lowercase);
        if email.as_ref().is_some_and(|email| !email.validate_email()) {
            self.fault("/email", "is not a valid e-mail address");
        }
        let description = self.text(row, "desc");
        let address = self.address(row);
        let (name, email) = (name?, email?);
        let info = Info { email: &email, address: &address?, description: description? };
        let info = serde_json::to_string(&info).and_then(RawValue::from_string).ok()?;
        let draft = TenantDraft { name: Some(name.to_owned()), tenant_info: Some(&info) };
        match NewTenant::parse(draft) {
            Ok(tenant) => Some(SampleTenant { tenant, email }),
            Err(violations) => {
                for violation in violations.into_vec() {
                    let member = if violation.pointer == "/name" { "/tenant_id" } else { "" };
                    self.fault(member, violation.detail);
                }
                None
            }
        }
    }

    fn text<'r>(&mut self, row: &'r Map<String, Value>, member: &str) -> Option<&'r str> {
        let text = row.get(member).and_then(Value::as_str);
        if text.is_none() {
            self.fault(&format!("/{member}"), "is required, and must be a string");
        }
        text
    }

    fn address(&mut self, row: &Map<String, Value>) -> Option<String> {
        let lines = row.get("address").and_then(Value::as_array);
        let lines: Option<Vec<&str>> = lines.and_then(|lines| lines.iter().map(Value::as_str).collect());
        if lines.is_none() {
            self.fault("/address", "is required, and must be an array of strings");
        }
        lines.map(|lines| lines.join(", "))
    }

    fn fault(&mut self, member: &str, detail: impl Into<String>) {
        let pointer = format!("/{}{member}", self.index);
        self.faults.push(RowFault { index: Some(self.index), pointer, detail: detail.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_a_tenant_as_its_predecessor_stored_it() {
        let file = r#"[{"id": "1", "tenant_id": "Jacklyn91", "email": "Keaton_Schuster33@Example.com",
            "desc": "Velit.", "address": ["30261 Tania Track", "Kossside", "24443", "Angola"]}]"#;
        let tenants = parse(file).unwrap();
        assert_eq!(tenants.len(), 1);
        assert_eq!(tenants[0].tenant.name.as_str(), "Jacklyn91");
        assert_eq!(tenants[0].email, "keaton_schuster33@example.com");
        assert_eq!(
            tenants[0].tenant.info.as_str(),
            r#"{"email":"keaton_schuster33@example.com","address":"30261 Tania Track, Kossside, 24443, Angola","description":"Velit."}"#
        );
    }

    #[test]
    fn every_fault_of_every_row_is_told_with_its_place() {
        let file = r#"[
            {"tenant_id": "good", "email": "a@example.com", "desc": "", "address": []},
            {"tenant_id": "a b", "email": "a@example.com", "desc": "", "address": []},
            {"tenant_id": 7, "email": "nobody", "desc": "", "address": ["x", 1], "pho/ne": ""},
            "x",
            {"tenant_id": "n", "email": "a@example.com", "desc": "\u0000", "address": []}
        ]"#;
        let faults = parse(file).unwrap_err();
        let places: Vec<_> =
            faults.iter().map(|fault| (fault.index.unwrap(), fault.pointer.as_str())).collect();
        assert_eq!(
            places,
            [
                (1, "/1/tenant_id"),
                (2, "/2/pho~1ne"),
                (2, "/2/tenant_id"),
                (2, "/2/email"),
                (2, "/2/address"),
                (3, "/3"),
                (4, "/4"),
            ]
        );
    }

    #[test]
    fn a_file_of_something_else_is_refused_as_a_whole() {
        for file in ["", "{}", "[1", "null"] {
            assert_eq!(parse(file).unwrap_err()[0].index, None, "{file}");
        }
    }
}
