//! The cache inside the process.

/// Says when a load began, so that what was loaded before a change is not kept after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoadTicket(pub u64);

/// Says of a key and its value whether it may have changed.
pub type IsChanged<'a, K, V> = dyn Fn(&K, &V) -> bool + Sync + 'a;

/// A bounded cache in this process, which never holds what is older than the last change it was told of.
///
/// It may forget anything at any time. To fill it from storage: take a [`ticket`](NearCache::ticket),
/// *then* read, then [`fill`](NearCache::fill); the cache drops the value if the key (or, at worst, another
/// that shares its ticket) was changed in between. No method blocks or fails.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait NearCache<K: Send + Sync + 'static, V: Send + Sync + 'static>: Send + Sync {
    /// What is held for the key.
    fn get(&self, key: &K) -> Option<V>;

    /// What is held for the key, also where it has become too old to be given out by [`get`](NearCache::get):
    /// for whoever can read nothing newer. Nothing where a change may have been missed meanwhile.
    fn last_known(&self, key: &K) -> Option<V>;

    /// The beginning of a load of this key.
    fn ticket(&self, key: &K) -> LoadTicket;

    /// Keeps what was read since `ticket`, unless the key may have changed since, or a newer value is held.
    fn fill(&self, key: K, value: V, ticket: LoadTicket);

    /// The key was changed to this value: keeps it, unless a newer value is held, and makes every load
    /// that is under way void.
    fn replace(&self, key: K, value: V);

    /// The key was changed to a value of this version, which is not known: forgets what is older, makes every load
    /// that is under way void, and does not keep an older value that it is told of late.
    fn outdate(&self, key: &K, version: u64);

    /// Lets go of what is held for the key. It was not changed: loads that are under way stay good.
    fn forget(&self, key: &K);

    /// The key was changed: forgets it, and makes every load that is under way void.
    fn remove(&self, key: &K);

    /// Whatever of what is held `is_changed` says it of may have changed, and nothing else: forgets that, and makes every
    /// load that is under way void, since nobody knows what it will bring. `is_changed` must be quick, and must not call
    /// the cache.
    fn remove_where<'a>(&self, is_changed: &'a IsChanged<'a, K, V>);

    /// Anything may have changed: forgets everything, and makes every load that is under way void.
    fn clear(&self);
}
