//! What the tables and columns of a file mean, once it was read whole.

use crate::file_error::FileError;
use crate::search::columns::{
    BASE_PLAN_IDS, END, END_TIME, EVER_ONLINE, MAX_PRICE, MIN_PRICE, OWN_IDS, PLAN_IDS, PROVIDER, Role,
    SELL_MODE, START, START_TIME, TITLE, ZONE_IDS,
};
use crate::search::references::{self, Join};
use crate::search::tables::{LOOKED_FOR, SearchTable, SearchTables};

/// Where everything stands that is read of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) plans: SearchTable,
    pub(crate) base_plans: Option<(SearchTable, Join)>,
    pub(crate) zones: Option<(SearchTable, Join)>,
    /// The key that is the id which the search showed.
    pub(crate) own_id: Option<usize>,
    pub(crate) ids: ProviderIds,
    /// The key of the zones' table that is the provider's id of a zone.
    pub(crate) zone_id: Option<usize>,
}

/// Which keys are the provider's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProviderIds {
    /// Of the base plan: a key of its own table if there is one, else of the plans' table.
    pub(crate) base_plan: Option<usize>,
    /// Of the plan.
    pub(crate) plan: Option<usize>,
}

impl Layout {
    /// Of these tables. `has_uuids` says whether that key of the plans' table holds UUIDs.
    pub(crate) fn of(
        tables: &SearchTables,
        has_uuids: &mut dyn FnMut(usize) -> Result<bool, FileError>,
    ) -> Result<Self, FileError> {
        let Some(plans) = tables.of(Role::Plans) else {
            return Err(FileError::NoTable { wanted: LOOKED_FOR.to_owned(), found: "none".to_owned() });
        };
        let base_plans = match tables.of(Role::BasePlans) {
            None => None,
            Some(base) => match references::join(tables, plans, base) {
                Ok(join) => Some((base.clone(), join)),
                // A table that has nothing to do with it, where the plans need none.
                Err(FileError::NoReference { .. }) if plans.field(TITLE).is_some() => None,
                Err(error) => return Err(error),
            },
        };
        if plans.field(TITLE).is_none() && base_plans.is_none() {
            return Err(FileError::NoTitle(plans.name.clone()));
        }
        let zones = match tables.of(Role::Zones) {
            None => None,
            Some(zones) => Some((zones.clone(), references::join(tables, zones, plans)?)),
        };
        let own_id = plans.key_named(&OWN_IDS);
        let ids = provider_ids(plans, base_plans.as_ref(), has_uuids)?;
        let zone_id = zones.as_ref().and_then(|(table, join)| {
            let named = unjoined(table, &ZONE_IDS, join);
            named.or_else(|| table.key_named(&["id", "zonesid"]))
        });
        Ok(Self { plans: plans.clone(), base_plans, zones, own_id, ids, zone_id })
    }

    /// Whether a later fetch of the feed can tell which plan is which.
    pub(crate) fn has_provider_ids(&self) -> bool {
        self.ids.base_plan.is_some() && self.ids.plan.is_some()
    }

    /// The table that says to which provider a plan belongs, if one does.
    pub(crate) fn provider(&self) -> Option<&SearchTable> {
        // Without the provider's other ids it may be one of them.
        let base_plans = self.base_plans.as_ref().map(|(table, _)| table);
        let tables = [Some(&self.plans), base_plans].into_iter().flatten();
        tables.filter(|_| self.has_provider_ids()).find(|table| table.field(PROVIDER).is_some())
    }

    /// Which table and column a field of a plan comes from: the plan's own, or its base plan's.
    pub(crate) fn shared(&self, field: usize) -> Option<&SearchTable> {
        let base_plans = self.base_plans.as_ref().map(|(table, _)| table);
        let mut tables = [Some(&self.plans), base_plans].into_iter().flatten();
        tables.find(|table| table.field(field).is_some())
    }

    /// What was taken for what, for a person.
    pub(crate) fn describe(&self) -> String {
        let column = |table: &SearchTable, field| {
            let name = table.field_name(field)?;
            Some(format!("{}.{name}", table.name))
        };
        let both = |day: usize, time: usize| {
            let names = [day, time].into_iter().filter_map(|field| self.plans.field_name(field));
            names.collect::<Vec<_>>().join(" and ")
        };
        let plan = |key: usize| format!("{}.{}", self.plans.name, self.plans.key_name(key));
        let mut parts = Vec::new();
        let base_table = self.base_plans.as_ref().map_or(&self.plans, |(table, _)| table);
        let base_plan =
            self.ids.base_plan.map(|key| format!("{}.{}", base_table.name, base_table.key_name(key)));
        parts.push(format!("base plans' ids from {}", base_plan.as_deref().unwrap_or("nowhere")));
        parts.push(format!("plans' ids from {}", self.ids.plan.map(plan).as_deref().unwrap_or("nowhere")));
        parts.push(format!("UUIDs kept from {}", self.own_id.map(plan).as_deref().unwrap_or("nowhere")));
        parts.push(format!("start from {}", both(START, START_TIME)));
        parts.push(format!("end from {}", both(END, END_TIME)));
        let title = self.shared(TITLE).and_then(|table| column(table, TITLE));
        parts.push(format!("title from {}", title.as_deref().unwrap_or("nowhere")));
        let modes = [EVER_ONLINE, SELL_MODE].into_iter();
        let modes = modes.filter_map(|field| self.shared(field).and_then(|table| column(table, field)));
        let modes: Vec<_> = modes.collect();
        parts.push(match &modes[..] {
            [] => "all as sold online, since no column says how".to_owned(),
            modes => format!("how it is sold from {}", modes.join(" and ")),
        });
        let prices = [MIN_PRICE, MAX_PRICE].into_iter().filter_map(|field| column(&self.plans, field));
        let prices: Vec<_> = prices.collect();
        let zones = self.zones.as_ref().map(|(table, join)| {
            format!("zones of {} by {}", table.name, references::describe(join, table, &self.plans))
        });
        match (zones, &prices[..]) {
            (Some(zones), []) => parts.push(format!("prices from the {zones}")),
            (Some(zones), prices) => {
                parts.push(format!("prices from the {zones}, without any from {}", prices.join(" and ")));
            }
            (None, []) => parts.push("no prices".to_owned()),
            (None, prices) => parts.push(format!("prices from {}", prices.join(" and "))),
        }
        if let Some((table, join)) = &self.base_plans {
            parts.push(format!("base plans by {}", references::describe(join, &self.plans, table)));
        }
        parts.join("; ")
    }
}

fn provider_ids(
    plans: &SearchTable,
    base_plans: Option<&(SearchTable, Join)>,
    has_uuids: &mut dyn FnMut(usize) -> Result<bool, FileError>,
) -> Result<ProviderIds, FileError> {
    let base_plan = match base_plans {
        // A system that brings plans up to date must know its provider's id: without another column it is this one.
        Some((table, _)) => table.key_named(&BASE_PLAN_IDS).or_else(|| table.key_of("id")),
        None => plans.key_named(&BASE_PLAN_IDS),
    };
    let none = Join::new();
    let join = base_plans.map_or(&none, |(_, join)| join);
    let plan = match unjoined(plans, &PLAN_IDS, join) {
        Some(key) => Some(key),
        None if base_plan.is_some() => match plans.key_of("id") {
            // A UUID is the system's own.
            Some(id) if !has_uuids(id)? => Some(id),
            _ => None,
        },
        None => None,
    };
    Ok(ProviderIds { base_plan, plan })
}

/// The key of the first of these names that does not say which row of another table a row belongs to.
fn unjoined(table: &SearchTable, names: &[&str], join: &Join) -> Option<usize> {
    let keys = names.iter().filter_map(|name| table.key_named(&[*name]));
    let is_joined = |key: &usize| join.iter().any(|(here, _)| here == key);
    keys.into_iter().find(|key| !is_joined(key))
}
