//! The base plan: what its plans share.

use quick_xml::events::BytesStart;
use tenantry_domain::{PlanTitle, ProviderId, RejectCode, RejectReason, SellMode};

use super::attributes::Attributes;
use super::dialect::Dialect;
use super::error::ReadError;
use super::reject;

/// A base plan, as far as it can be read. If it cannot, each of its plans is rejected for it.
pub(crate) struct BasePlan {
    /// Its start tag as it stands in the feed.
    pub(crate) tag: String,
    /// Its id, for a person, where that could be read.
    pub(crate) id_hint: Option<String>,
    pub(crate) content: Result<BaseContent, RejectReason>,
}

/// What a base plan says.
#[derive(Debug, Clone)]
pub(crate) struct BaseContent {
    pub(crate) id: ProviderId,
    pub(crate) title: PlanTitle,
    pub(crate) sell_mode: SellMode,
    pub(crate) organizer_company_id: Option<ProviderId>,
}

impl BasePlan {
    /// Reads the start tag, which stands at that byte of the feed.
    pub(crate) fn read(
        tag: &BytesStart<'_>,
        dialect: Dialect,
        max_attributes: usize,
        offset: u64,
    ) -> Result<Self, ReadError> {
        let attributes = Attributes::find(tag, dialect.base_attributes(), max_attributes, offset)?;
        Ok(Self {
            tag: format!("<{}>", &**tag),
            id_hint: attributes.hint(ID),
            content: BaseContent::read(&attributes),
        })
    }
}

const ID: usize = 0;
const TITLE: usize = 1;
const SELL_MODE: usize = 2;
const ORGANIZER: usize = 3;

impl BaseContent {
    fn read(attributes: &Attributes<'_, 4>) -> Result<Self, RejectReason> {
        attributes.each_once()?;
        let id = attributes.id(ID)?.ok_or_else(|| reject::missing(attributes.name(ID)))?;
        let title = PlanTitle::new(&attributes.require(TITLE)?)
            .ok_or_else(|| reject::text(attributes.name(TITLE), "is longer than 1000 characters"))?;
        let word = attributes.require(SELL_MODE)?;
        let sell_mode = SellMode::parse(&word).ok_or_else(|| {
            reject::wrong(
                RejectCode::Word,
                attributes.name(SELL_MODE),
                &word,
                "is neither online nor offline",
            )
        })?;
        Ok(Self { id, title, sell_mode, organizer_company_id: attributes.id(ORGANIZER)? })
    }
}
