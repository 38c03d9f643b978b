//! Access keys: who is calling, and the keys by which they call.

mod cached;
mod error;
#[cfg(test)]
mod tests;
mod uses;

use std::sync::Arc;

use tenantry_domain::{
    AccessKey, AccessKeyDraft, AccessKeyName, Caller, KeyId, KeyKind, KeyOwner, NewAccessKey, Page,
    PageLimit, PresentedKey, ScopeSet, SecretKey, TenantNumber, Violation, Violations,
};
use tenantry_ports::{AccessKeyRepository, Clock, KeyPosition, StorageError};

use crate::propagation::{Propagation, settled};
use crate::read_through::ReadThrough;
pub use cached::{AccessCache, CachedGrant};
pub use error::{AccessError, AccessKeyError};
use uses::NotedUses;

/// Who is calling, and the keys by which they call.
pub struct AccessService {
    keys: Arc<dyn AccessKeyRepository>,
    cached: ReadThrough<KeyId, CachedGrant>,
    clock: Arc<dyn Clock>,
    uses: NotedUses,
    propagation: Option<Arc<Propagation>>,
}

impl AccessService {
    /// The service over these keys, read through `cache`.
    #[must_use]
    pub fn new(keys: Arc<dyn AccessKeyRepository>, cache: Arc<AccessCache>, clock: Arc<dyn Clock>) -> Self {
        let cached = ReadThrough::new(cache);
        Self { keys, cached, clock, uses: NotedUses::default(), propagation: None }
    }

    /// Answers to changes of keys when the other nodes know of them.
    #[must_use]
    pub fn among_nodes(mut self, propagation: Arc<Propagation>) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// Who shows this key's text, as far as it can be told without storage; `None`: it cannot, ask
    /// [`authenticate`](Self::authenticate). It neither waits nor allocates.
    pub fn authenticate_cached(&self, text: &str) -> Option<Result<Caller, AccessError>> {
        let Ok(presented) = PresentedKey::parse(text) else { return Some(Err(AccessError::Malformed)) };
        Some(self.judge(&presented, &self.cached.held(&presented.id)?))
    }

    /// Who shows this key's text. Text that is no key is refused before anything is looked up; several who
    /// show a key that the cache does not know wait for one read.
    ///
    /// # Errors
    /// [`AccessError`] says each; what may not be told apart is not.
    pub async fn authenticate(&self, text: &str) -> Result<Caller, AccessError> {
        let presented = PresentedKey::parse(text)?;
        if let Some(known) = self.cached.held(&presented.id) {
            return self.judge(&presented, &known);
        }
        let keys = Arc::clone(&self.keys);
        let read = move |id| async move { Ok(keys.find_grant(id).await?.into()) };
        let loaded: CachedGrant = self.cached.load(presented.id, |_| true, read).await?;
        self.judge(&presented, &loaded)
    }

    fn judge(&self, presented: &PresentedKey, known: &CachedGrant) -> Result<Caller, AccessError> {
        let grant = known.matching(presented).ok_or(AccessError::Unknown)?;
        let now = self.clock.now();
        let caller = grant.admit(presented.id, now)?;
        self.uses.note(presented.id, grant.last_noted(), now);
        Ok(caller)
    }

    /// Makes a key of the tenant. Its text is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`AccessKeyError::Invalid`], [`AccessKeyError::Entropy`], [`AccessKeyError::TenantNotFound`],
    /// [`AccessKeyError::Storage`].
    pub async fn create_key(
        &self,
        tenant: TenantNumber,
        draft: AccessKeyDraft,
    ) -> Result<(AccessKey, SecretKey), AccessKeyError> {
        let wanted = NewAccessKey::parse(draft, self.clock.now())?;
        let secret = generate(KeyKind::Tenant)?;
        let key = self.key_of(&secret, KeyOwner::Tenant(tenant), wanted);
        self.keys.insert(tenant, key.clone()).await?;
        settled(self.propagation.as_ref()).await;
        Ok((key, secret))
    }

    /// A page of the tenant's keys, in the order in which they were made, behind `after`. A tenant that
    /// does not exist has none.
    ///
    /// # Errors
    /// [`AccessKeyError::Storage`].
    pub async fn list_keys(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        limit: PageLimit,
    ) -> Result<Page<AccessKey>, AccessKeyError> {
        Ok(self.keys.list(tenant, after, limit).await?)
    }

    /// Revokes a key of the tenant: from the answer on it is refused.
    ///
    /// # Errors
    /// [`AccessKeyError::KeyNotFound`], [`AccessKeyError::Storage`].
    pub async fn revoke_key(&self, tenant: TenantNumber, id: KeyId) -> Result<(), AccessKeyError> {
        if !self.keys.revoke(tenant, id).await? {
            return Err(AccessKeyError::KeyNotFound);
        }
        settled(self.propagation.as_ref()).await;
        Ok(())
    }

    /// Makes the text of an administrator's key. It opens nothing until it is
    /// [adopted](Self::adopt_first_admin_key).
    ///
    /// # Errors
    /// [`AccessKeyError::Entropy`].
    pub fn generate_admin_key() -> Result<SecretKey, AccessKeyError> {
        generate(KeyKind::Admin)
    }

    /// Stores an administrator's key that allows everything, if there is no administrator's key yet;
    /// answers whether it did.
    ///
    /// # Errors
    /// [`AccessKeyError::Invalid`] where the text is that of a tenant's key; [`AccessKeyError::Storage`].
    pub async fn adopt_first_admin_key(&self, secret: &SecretKey) -> Result<bool, AccessKeyError> {
        if parts_of(secret).kind != KeyKind::Admin {
            let detail = "must be an administrator's key";
            return Err(Violations::one(Violation::new("", "kind", detail)).into());
        }
        let name = AccessKeyName::first_admin_key();
        let wanted = NewAccessKey { name, scopes: ScopeSet::all(), expires_at: None };
        Ok(self.keys.insert_first_admin_key(self.key_of(secret, KeyOwner::Admin, wanted)).await?)
    }

    /// Whether there is an administrator's key.
    ///
    /// # Errors
    /// When storage does not say.
    pub async fn has_admin_key(&self) -> Result<bool, StorageError> {
        self.keys.has_admin_key().await
    }

    /// Writes when keys were last used, as far as that was noted since the last call. To be called every
    /// minute or so, and before the process ends.
    ///
    /// # Errors
    /// When storage did not do it; nothing is lost, the next call writes it.
    pub async fn flush_uses(&self) -> Result<(), StorageError> {
        self.uses.flush(self.keys.as_ref()).await
    }

    fn key_of(&self, secret: &SecretKey, owner: KeyOwner, wanted: NewAccessKey) -> AccessKey {
        let PresentedKey { id, hash, .. } = parts_of(secret);
        AccessKey {
            id,
            owner,
            name: wanted.name,
            scopes: wanted.scopes,
            hash,
            created_at: self.clock.now(),
            expires_at: wanted.expires_at,
            last_used_at: None,
        }
    }
}

fn generate(kind: KeyKind) -> Result<SecretKey, AccessKeyError> {
    let (mut id, mut secret) = ([0; 16], [0; 32]);
    getrandom::fill(&mut id).map_err(|_| AccessKeyError::Entropy)?;
    getrandom::fill(&mut secret).map_err(|_| AccessKeyError::Entropy)?;
    Ok(SecretKey::from_entropy(kind, id, secret))
}

#[expect(clippy::expect_used, reason = "a SecretKey is made by SecretKey::from_entropy alone")]
fn parts_of(secret: &SecretKey) -> PresentedKey {
    secret.presented().expect("a key that was made has the form of a key")
}
