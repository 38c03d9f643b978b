//! Where in a feed the reading stands, and what each tag there means.

use quick_xml::events::BytesStart;
use tenantry_domain::{RejectReason, TimeZone};

use super::base_plan::BasePlan;
use super::dialect::{Dialect, OUTPUT, ZONE};
use super::error::ReadError;
use super::plan::OpenPlan;
use crate::options::FeedLimits;

/// In which element the reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Before,
    Root,
    Output,
    Base,
    Plan,
    After,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A whole feed.
    Feed,
    /// One base plan with its plans, as a rejected record is kept.
    Record,
}

/// The state of reading.
pub(crate) struct Document<'a> {
    scope: Scope,
    limits: &'a FeedLimits,
    time_zone: TimeZone,
    level: Level,
    dialect: Dialect,
    /// How deep below `level` an element is that means nothing here.
    unknown_depth: usize,
    /// What was met in the root, or in an `output`: the known element, or else the name of another.
    met: Met,
    base: Option<BasePlan>,
    plan: Option<OpenPlan>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Met {
    Nothing,
    Known,
    Other(String),
}

impl<'a> Document<'a> {
    pub(crate) fn new(scope: Scope, limits: &'a FeedLimits, time_zone: TimeZone) -> Self {
        Self {
            scope,
            limits,
            time_zone,
            level: Level::Before,
            dialect: Dialect::Plan,
            unknown_depth: 0,
            met: Met::Nothing,
            base: None,
            plan: None,
        }
    }

    /// A start tag, which stands at that byte of the feed.
    pub(crate) fn start(&mut self, tag: &BytesStart<'_>, offset: u64) -> Result<(), ReadError> {
        let depth = self.level as usize + self.unknown_depth;
        if depth >= self.limits.max_depth {
            let text =
                format!("its elements stand more than {} deep within each other", self.limits.max_depth);
            return Err(ReadError::Unreadable(text));
        }
        if self.unknown_depth > 0 {
            self.unknown_depth += 1;
            return Ok(());
        }
        let name = tag.local_name();
        let (name, max_attributes) = (name.as_ref(), self.limits.max_attributes);
        match (self.level, &self.base, &mut self.plan) {
            (Level::Before, ..) if self.scope == Scope::Feed => self.root(name)?,
            (Level::Before, ..) => {
                self.dialect = Dialect::of_base(name).ok_or_else(|| wrong_root(name))?;
                self.base = Some(BasePlan::read(tag, self.dialect, max_attributes, offset)?);
                self.level = Level::Base;
            }
            (Level::After, ..) => {
                let text = format!("behind its end stands another element: {}", short(name));
                return Err(ReadError::Unreadable(text));
            }
            (Level::Root, ..) if name == OUTPUT => {
                self.level = Level::Output;
                self.met = Met::Nothing;
            }
            (Level::Output, ..) if name == self.dialect.base() => {
                self.base = Some(BasePlan::read(tag, self.dialect, max_attributes, offset)?);
                self.level = Level::Base;
                self.met = Met::Known;
            }
            (Level::Base, Some(base), _) if name == self.dialect.plan() => {
                let zone = self.time_zone;
                self.plan = Some(OpenPlan::read(tag, base, self.dialect, zone, max_attributes, offset)?);
                self.level = Level::Plan;
            }
            (Level::Plan, _, Some(plan)) => {
                if name == ZONE {
                    plan.zone(tag, self.limits.max_plan_zones, max_attributes, offset)?;
                }
                self.unknown_depth = 1;
            }
            (Level::Root | Level::Output | Level::Base | Level::Plan, ..) => {
                if self.met == Met::Nothing {
                    self.met = Met::Other(short(name));
                }
                self.unknown_depth = 1;
            }
        }
        Ok(())
    }

    fn root(&mut self, name: &str) -> Result<(), ReadError> {
        self.dialect = Dialect::of_root(name).ok_or_else(|| wrong_root(name))?;
        self.level = Level::Root;
        Ok(())
    }

    /// An end tag; the plan that it ends.
    pub(crate) fn end(&mut self) -> Result<Option<OpenPlan>, ReadError> {
        if self.unknown_depth > 0 {
            self.unknown_depth -= 1;
            return Ok(None);
        }
        match self.level {
            Level::Plan => {
                self.level = Level::Base;
                return Ok(self.plan.take());
            }
            Level::Base => self.level = if self.scope == Scope::Feed { Level::Output } else { Level::After },
            Level::Output => {
                self.expect(self.dialect.base())?;
                self.level = Level::Root;
                self.met = Met::Known;
            }
            Level::Root => {
                self.expect(OUTPUT)?;
                self.level = Level::After;
            }
            Level::Before | Level::After => {}
        }
        Ok(None)
    }

    /// An element with others in it, and not one that means anything, is no empty list: taken for one, it would take
    /// all plans off sale.
    fn expect(&self, name: &str) -> Result<(), ReadError> {
        let Met::Other(other) = &self.met else { return Ok(()) };
        Err(ReadError::Unreadable(format!("where {name} should stand there is only {other}")))
    }

    /// Text that is no white space, or something that counts as such.
    pub(crate) fn text(&self) -> Result<(), ReadError> {
        match self.level {
            Level::Before => Err(ReadError::unreadable("it begins with text, and not with an element")),
            Level::After => Err(ReadError::unreadable("behind its end stands more text")),
            _ => Ok(()),
        }
    }

    /// The end of the bytes.
    pub(crate) fn finish(&self) -> Result<(), ReadError> {
        match self.level {
            Level::After => Ok(()),
            Level::Before => Err(ReadError::EndsEarly("its first element".to_owned())),
            _ if self.scope == Scope::Record => Err(ReadError::EndsEarly(self.dialect.base().to_owned())),
            _ => Err(ReadError::EndsEarly(self.dialect.root().to_owned())),
        }
    }

    /// The plan that is open.
    pub(crate) fn plan(&self) -> Option<&OpenPlan> {
        self.plan.as_ref()
    }

    /// The base plan that was met last.
    pub(crate) fn base(&self) -> Option<&BasePlan> {
        self.base.as_ref()
    }

    /// Rejects the plan that is open.
    pub(crate) fn reject_plan(&mut self, reason: RejectReason) {
        if let Some(plan) = &mut self.plan {
            plan.reject(reason);
        }
    }

    /// How a base plan ends.
    pub(crate) fn base_end(&self) -> String {
        self.base.as_ref().map_or_else(String::new, |base| {
            // With the prefix, if the tag has one.
            let name = base.tag.trim_start_matches('<').split([' ', '\t', '\r', '\n', '>', '/']).next();
            format!("</{}>", name.unwrap_or_default())
        })
    }
}

fn wrong_root(name: &str) -> ReadError {
    ReadError::Unreadable(format!("it begins with {}, and not with planList or eventList", short(name)))
}

/// A name, for a message.
fn short(name: &str) -> String {
    name.chars().take(60).collect()
}
