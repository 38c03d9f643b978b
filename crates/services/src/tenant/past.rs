//! Tenants of another system.

use tenantry_domain::{PastTenant, TenantStatus};
use tenantry_ports::PastTenantOutcome;

use super::{TenantError, TenantService};
use crate::past_outcome::PastOutcome;

impl TenantService {
    /// Stores a tenant that another system kept, under the number that its clients know. A tenant with that number
    /// and the same name is the same, and is left as it is; any other keeps the number.
    ///
    /// # Errors
    /// [`TenantError::Storage`].
    pub async fn import(&self, past: PastTenant) -> Result<PastOutcome, TenantError> {
        let (number, name) = (past.number, past.tenant.name.clone());
        Ok(match self.tenants.create_past(past).await? {
            PastTenantOutcome::Created(_) => PastOutcome::Stored,
            PastTenantOutcome::Held(held) if held.status == TenantStatus::Deleting => {
                PastOutcome::Refused(format!("the number {number} is that of a tenant that is being deleted"))
            }
            PastTenantOutcome::Held(held) if held.name == name => PastOutcome::AlreadyThere,
            PastTenantOutcome::Held(held) => {
                PastOutcome::Refused(format!("the number {number} is that of another tenant, {}", held.id()))
            }
            PastTenantOutcome::Retired => PastOutcome::Refused(format!(
                "the number {number} was that of a tenant that is gone, and is never given again"
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{JsonObject, NewTenant, Tenant, TenantName};
    use tenantry_ports::MockTenantRepository;

    use super::*;
    use crate::samples::{number, time};
    use crate::tenant::tests::service;

    fn past(name: &str) -> PastTenant {
        let tenant = NewTenant { name: TenantName::new(name).unwrap(), info: JsonObject::empty() };
        PastTenant { number: number(5), tenant, created_at: None, updated_at: None }
    }

    fn held(name: &str, status: TenantStatus) -> Tenant {
        Tenant {
            number: number(5),
            name: TenantName::new(name).unwrap(),
            status,
            info: JsonObject::empty(),
            version: 1,
            created_at: time(1),
            updated_at: time(1),
            erasure: None,
        }
    }

    async fn outcome(of: PastTenantOutcome) -> PastOutcome {
        let mut tenants = MockTenantRepository::new();
        tenants.expect_create_past().once().returning(move |_| Ok(of.clone()));
        service(tenants).import(past("acme")).await.unwrap()
    }

    #[tokio::test]
    async fn only_a_tenant_of_the_same_name_and_number_is_the_same() {
        let active = |name| PastTenantOutcome::Held(held(name, TenantStatus::Active));
        assert_eq!(outcome(active("acme")).await, PastOutcome::AlreadyThere);
        let PastOutcome::Refused(why) = outcome(active("other")).await else { panic!("it is refused") };
        assert!(why.contains("5_other"), "{why}");
        let deleting = PastTenantOutcome::Held(held("acme", TenantStatus::Deleting));
        assert!(matches!(outcome(deleting).await, PastOutcome::Refused(_)));
        assert!(matches!(outcome(PastTenantOutcome::Retired).await, PastOutcome::Refused(_)));
        let created = PastTenantOutcome::Created(held("acme", TenantStatus::Active));
        assert_eq!(outcome(created).await, PastOutcome::Stored);
    }
}
