//! Tenants: their life, and which of them a request is about.

mod cached;
mod error;
mod past;
mod patch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::value::RawValue;
use tenantry_domain::{
    Caller, KeyOwner, NewTenant, Page, PageLimit, Precondition, Tenant, TenantDraft, TenantFilter,
    TenantNumber, TenantRef, TenantStatus,
};
use tenantry_ports::{TenantRepository, TenantUpdate, TenantWriteError};

use crate::propagation::{Propagation, settled};
use crate::read_through::ReadThrough;
pub use cached::{CachedTenant, TenantCache};
pub use error::TenantError;

/// How often a change without a precondition is tried while others change the same tenant.
const MAX_TRIES: usize = 8;

/// What is done with tenants.
pub struct TenantService {
    tenants: Arc<dyn TenantRepository>,
    cached: ReadThrough<TenantNumber, CachedTenant>,
    propagation: Option<Arc<Propagation>>,
}

impl TenantService {
    /// The service over these tenants; `cache` speeds up [`resolve`](Self::resolve).
    #[must_use]
    pub fn new(tenants: Arc<dyn TenantRepository>, cache: Arc<TenantCache>) -> Self {
        Self { tenants, cached: ReadThrough::new(cache), propagation: None }
    }

    /// Answers to changes of tenants when the other nodes know of them.
    #[must_use]
    pub fn among_nodes(mut self, propagation: Arc<Propagation>) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// [`TenantError::Invalid`], [`TenantError::Storage`].
    pub async fn create(&self, draft: TenantDraft<'_>) -> Result<Tenant, TenantError> {
        Ok(self.tenants.create(NewTenant::parse(draft)?).await?)
    }

    /// The tenant, whatever its status, as it stands in storage.
    ///
    /// # Errors
    /// [`TenantError::NotFound`], also where the name in `tenant` is not the tenant's;
    /// [`TenantError::Storage`].
    pub async fn get(&self, tenant: &TenantRef) -> Result<Tenant, TenantError> {
        let found = self.tenants.find(tenant.number).await?;
        found.filter(|found| tenant.means(found)).ok_or(TenantError::NotFound)
    }

    /// A page of the tenants that the filter shows, by number, behind `after`.
    ///
    /// # Errors
    /// [`TenantError::Storage`].
    pub async fn list(
        &self,
        filter: TenantFilter,
        after: Option<TenantNumber>,
        limit: PageLimit,
    ) -> Result<Page<Tenant>, TenantError> {
        Ok(self.tenants.list(filter, after, limit).await?)
    }

    /// Makes the tenant's name and info what the draft says.
    ///
    /// # Errors
    /// In this order, as RFC 9110 section 13.2 has it: [`TenantError::NotFound`],
    /// [`TenantError::Deleting`], [`TenantError::PreconditionFailed`], [`TenantError::Invalid`]; then
    /// [`TenantError::Contended`], [`TenantError::Storage`].
    pub async fn replace(
        &self,
        tenant: &TenantRef,
        draft: TenantDraft<'_>,
        precondition: &Precondition,
    ) -> Result<Tenant, TenantError> {
        let wanted = NewTenant::parse(draft);
        self.change(tenant, precondition, |current| {
            refuse_deleting(current)?;
            Ok(Change::Checked(wanted.clone().map(|wanted| with_content(current, wanted))))
        })
        .await
    }

    /// Makes the tenant's info what is said, and leaves its name as it is. `tenant_info` is a JSON object; `{}`
    /// where absent.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub async fn replace_info(
        &self,
        tenant: &TenantRef,
        tenant_info: Option<&RawValue>,
        precondition: &Precondition,
    ) -> Result<Tenant, TenantError> {
        self.change(tenant, precondition, |current| {
            refuse_deleting(current)?;
            let draft = TenantDraft { name: Some(current.name.as_str().to_owned()), tenant_info };
            Ok(Change::Checked(NewTenant::parse(draft).map(|wanted| with_content(current, wanted))))
        })
        .await
    }

    /// Applies a JSON merge patch (RFC 7396) to `{"name": …, "tenant_info": …}`. `patch` is JSON text.
    /// What the patch does not name stays to the letter; `tenant_info` that is patched away is `{}`.
    ///
    /// # Errors
    /// As [`replace`](Self::replace). A member of another name is [`TenantError::Invalid`], with its
    /// pointer and the code `unknown_field`.
    pub async fn patch(
        &self,
        tenant: &TenantRef,
        patch: &str,
        precondition: &Precondition,
    ) -> Result<Tenant, TenantError> {
        self.change(tenant, precondition, |current| {
            refuse_deleting(current)?;
            Ok(Change::Checked(patch::apply(current, patch).map(|wanted| with_content(current, wanted))))
        })
        .await
    }

    /// Refuses the tenant's keys until it is active again. A suspended tenant is answered unchanged.
    ///
    /// # Errors
    /// As [`replace`](Self::replace), but for [`TenantError::Invalid`].
    pub async fn suspend(
        &self,
        tenant: &TenantRef,
        precondition: &Precondition,
    ) -> Result<Tenant, TenantError> {
        self.change(tenant, precondition, |current| {
            refuse_deleting(current)?;
            Ok(Change::to_status(current, TenantStatus::Suspended))
        })
        .await
    }

    /// Ends a suspension. An active tenant is answered unchanged.
    ///
    /// # Errors
    /// As [`suspend`](Self::suspend).
    pub async fn activate(
        &self,
        tenant: &TenantRef,
        precondition: &Precondition,
    ) -> Result<Tenant, TenantError> {
        self.change(tenant, precondition, |current| {
            refuse_deleting(current)?;
            Ok(Change::to_status(current, TenantStatus::Active))
        })
        .await
    }

    /// Begins the erasure of the tenant: its keys stop at once. A tenant that is being deleted is answered
    /// unchanged.
    ///
    /// # Errors
    /// As [`suspend`](Self::suspend), but for [`TenantError::Deleting`].
    pub async fn delete(
        &self,
        tenant: &TenantRef,
        precondition: &Precondition,
    ) -> Result<Tenant, TenantError> {
        self.change(tenant, precondition, |current| Ok(Change::to_status(current, TenantStatus::Deleting)))
            .await
    }

    /// Which tenant a request about a tenant's data means. A tenant's key means its own tenant, and may
    /// name it; an administrator's must name one. Answered from the cache where it can be.
    ///
    /// # Errors
    /// [`TenantError::TenantRequired`] where an administrator named none. [`TenantError::NotFound`] where
    /// a tenant's key named another tenant, or the one that is named is absent or being deleted.
    /// [`TenantError::Storage`].
    pub async fn resolve(
        &self,
        caller: &Caller,
        named: Option<&TenantRef>,
    ) -> Result<TenantNumber, TenantError> {
        let named = match (caller.owner, named) {
            (KeyOwner::Tenant(own), None) => return Ok(own),
            (KeyOwner::Tenant(own), Some(named)) if named.number != own => return Err(TenantError::NotFound),
            // The key was let in, so the tenant is there; only its name remains to be compared.
            (KeyOwner::Tenant(own), Some(named)) if named.name.is_none() => return Ok(own),
            (KeyOwner::Admin, None) => return Err(TenantError::TenantRequired),
            (_, Some(named)) => named,
        };
        if self.known(named.number).await?.is_usable_as(named) {
            Ok(named.number)
        } else {
            Err(TenantError::NotFound)
        }
    }

    /// Which tenant a request without a key means, where one is `opened` to such requests; `named` is the tenant
    /// that the request names, if it does. Answered from the cache where it can be.
    ///
    /// # Errors
    /// [`TenantError::NotFound`] where the opened tenant is absent or being deleted, or another one is named;
    /// [`TenantError::Suspended`], [`TenantError::Storage`].
    pub async fn resolve_opened(
        &self,
        opened: &TenantRef,
        named: Option<&TenantRef>,
    ) -> Result<TenantNumber, TenantError> {
        let known = self.known(opened.number).await?;
        let is_meant = |tenant: &TenantRef| tenant.number == opened.number && known.is_usable_as(tenant);
        if !is_meant(opened) || !named.is_none_or(is_meant) {
            return Err(TenantError::NotFound);
        }
        if known.is_suspended() { Err(TenantError::Suspended) } else { Ok(opened.number) }
    }

    /// One step of the erasure of the deleted tenant with the lowest number: at most `max_rows` rows.
    /// Answers whether there may be more to do.
    ///
    /// # Errors
    /// [`TenantError::Storage`]; another call goes on where this one stopped.
    pub async fn erase_next(&self, max_rows: u32) -> Result<bool, TenantError> {
        let one = PageLimit::new(1).unwrap_or_default();
        let Some(tenant) = self.tenants.deleting(one).await?.into_iter().next() else { return Ok(false) };
        self.tenants.erase_some(tenant, max_rows).await?;
        Ok(true)
    }

    async fn known(&self, tenant: TenantNumber) -> Result<CachedTenant, TenantError> {
        if let Some(known) = self.cached.held(&tenant) {
            return Ok(known);
        }
        let tenants = Arc::clone(&self.tenants);
        let read = move |number| async move { Ok(tenants.find(number).await?.as_ref().into()) };
        // Absence is not kept: no listener is told when a number is given to a new tenant.
        Ok(self.cached.load(tenant, CachedTenant::is_present, read).await?)
    }

    /// Reads the tenant, lets `decide` say what becomes of it, and writes that if nobody changed the
    /// tenant in between; else begins anew.
    async fn change(
        &self,
        tenant: &TenantRef,
        precondition: &Precondition,
        decide: impl Fn(&Tenant) -> Result<Change, TenantError>,
    ) -> Result<Tenant, TenantError> {
        for _ in 0..MAX_TRIES {
            let current = self.get(tenant).await?;
            let change = decide(&current)?;
            if !precondition.holds(Some(current.version)) {
                return Err(TenantError::PreconditionFailed { current: current.version });
            }
            let update = match change {
                Change::None => return Ok(current),
                Change::Checked(update) => update?,
            };
            match self.tenants.update(current.number, current.version, update).await {
                Ok(changed) => {
                    settled(self.propagation.as_ref()).await;
                    return Ok(changed);
                }
                Err(TenantWriteError::VersionConflict { .. }) => {}
                Err(TenantWriteError::NotFound) => return Err(TenantError::NotFound),
                Err(TenantWriteError::Storage(error)) => return Err(error.into()),
            }
        }
        Err(TenantError::Contended)
    }
}

/// What is to become of a tenant, if the caller's precondition holds.
enum Change {
    /// It is already as it is wanted.
    None,
    /// This; or a refusal of what was sent, which counts only after the precondition.
    Checked(Result<TenantUpdate, tenantry_domain::Violations>),
}

impl Change {
    fn to_status(current: &Tenant, status: TenantStatus) -> Self {
        if current.status == status {
            return Self::None;
        }
        Self::Checked(Ok(TenantUpdate { name: current.name.clone(), info: current.info.clone(), status }))
    }
}

fn with_content(current: &Tenant, wanted: NewTenant) -> TenantUpdate {
    TenantUpdate { name: wanted.name, info: wanted.info, status: current.status }
}

fn refuse_deleting(current: &Tenant) -> Result<(), TenantError> {
    if current.status == TenantStatus::Deleting { Err(TenantError::Deleting) } else { Ok(()) }
}
