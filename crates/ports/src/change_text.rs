//! Announcements as text: one form for every bus, so that its adapters need not know one another.
//!
//! The first line is `tenantry1` and the announcing node's id, in 16 hexadecimal digits. Each further line is a
//! change: `k TENANT REVISION KEY`, `a ACCESS-KEY-ID`, `t TENANT`, `c TENANT REVISION` or `*` for anything. In a key `\` stands as
//! `\\`, a line feed as `\n`.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use tenantry_domain::{CatalogRevision, Key, KeyId, Revision, TenantNumber};

use crate::change_bus::{BusListener, Change};

const HEAD: &str = "tenantry1 ";

/// A node of those that share a bus: a random number that it has chosen at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub u64);

/// Changes as they travel on a bus.
#[derive(Debug, Clone, Copy)]
pub struct ChangeText;

impl ChangeText {
    /// The most bytes of one announcement: PostgreSQL's `NOTIFY` takes fewer than 8,000.
    pub const MAX_BYTES: usize = 7_900;

    /// The changes as announcements of this node, in their order, each of at most [`ChangeText::MAX_BYTES`] bytes.
    #[must_use]
    pub fn encode(node: NodeId, changes: &[Change]) -> Vec<String> {
        let head = format!("{HEAD}{:016x}", node.0);
        let mut announcements: Vec<String> = Vec::new();
        for change in changes {
            let line = line_of(change);
            match announcements.last_mut() {
                Some(last) if last.len() + line.len() <= Self::MAX_BYTES => last.push_str(&line),
                _ => announcements.push(format!("{head}{line}")),
            }
        }
        announcements
    }

    /// Tells the listener what an announcement says, unless it is this node's own. One that is not understood, of
    /// a later version perhaps, means [`Change::Anything`].
    pub fn deliver(announcement: &str, own: NodeId, listener: &dyn BusListener) {
        match decode(announcement) {
            Some((node, _)) if node == own => {}
            Some((_, changes)) => changes.into_iter().for_each(|change| listener.changed(change)),
            None => listener.changed(Change::Anything),
        }
    }
}

/// The line of a change, with the line feed before it.
fn line_of(change: &Change) -> String {
    match change {
        Change::KeyValue { tenant, key, revision } => {
            let mut line = format!("\nk {tenant} {revision} ");
            for character in key.as_str().chars() {
                match character {
                    '\\' => line.push_str("\\\\"),
                    '\n' => line.push_str("\\n"),
                    other => line.push(other),
                }
            }
            line
        }
        Change::AccessKey(id) => {
            let mut line = String::from("\na ");
            // Writing to a string does not fail.
            let _ = write!(line, "{id}");
            line
        }
        Change::Tenant(tenant) => format!("\nt {tenant}"),
        Change::Catalog { tenant, revision } => format!("\nc {tenant} {revision}"),
        Change::Anything => "\n*".to_owned(),
    }
}

fn decode(announcement: &str) -> Option<(NodeId, Vec<Change>)> {
    let mut lines = announcement.split('\n');
    let node = lines.next()?.strip_prefix(HEAD).filter(|digits| digits.len() == 16)?;
    let node = NodeId(u64::from_str_radix(node, 16).ok()?);
    Some((node, lines.map(change_of).collect::<Option<_>>()?))
}

fn change_of(line: &str) -> Option<Change> {
    if line == "*" {
        return Some(Change::Anything);
    }
    let tenant = |digits: &str| TenantNumber::new(digits.parse().ok()?);
    let (kind, rest) = line.split_once(' ')?;
    match kind {
        "k" => {
            let mut parts = rest.splitn(3, ' ');
            let tenant = tenant(parts.next()?)?;
            let revision = Revision::new(parts.next()?.parse().ok()?)?;
            Some(Change::KeyValue { tenant, key: key_of(parts.next()?)?, revision })
        }
        "a" => Some(Change::AccessKey(KeyId::parse(rest)?)),
        "t" => Some(Change::Tenant(tenant(rest)?)),
        "c" => {
            let (number, revision) = rest.split_once(' ')?;
            let revision = CatalogRevision::new(revision.parse().ok()?)?;
            Some(Change::Catalog { tenant: tenant(number)?, revision })
        }
        _ => None,
    }
}

fn key_of(escaped: &str) -> Option<Key> {
    let mut key = String::with_capacity(escaped.len());
    let mut characters = escaped.chars();
    while let Some(character) = characters.next() {
        key.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                'n' => '\n',
                _ => return None,
            },
            other => other,
        });
    }
    Key::new(key.as_bytes()).ok()
}
