//! What is done in Redis in one step. The form of what is stored is that of
//! [`Stored`](tenantry_cache_support::Stored): a head of 41 bytes, in which numbers compare as they stand.

use redis::Script;

/// The scripts, each with one key.
pub(crate) struct Scripts {
    /// `generation, token, lease ms`: what is held, if its generation is at least that; else nothing, and it is
    /// leased to the token.
    pub(crate) lease: Script,
    /// `generation, version, kind, value, lifetime ms, token`: fills what is leased to the token.
    pub(crate) fill: Script,
    /// `generation, version, kind, value, lifetime ms`: stores it, unless something newer is held. What cannot be
    /// stored is removed, so that nothing older stays.
    pub(crate) replace: Script,
    /// `at least`: the next generation.
    pub(crate) begin_generation: Script,
}

const LEASE: &str = r"
local held = redis.call('GET', KEYS[1])
local version = '00000000000000000000'
if held and #held >= 41 then
  if string.sub(held, 2, 21) >= ARGV[1] then return held end
  version = string.sub(held, 22, 41)
end
redis.call('SET', KEYS[1], 'L' .. ARGV[1] .. version .. ARGV[2], 'PX', ARGV[3])
return false";

const FILL: &str = r"
local held = redis.call('GETRANGE', KEYS[1], 0, 56)
if string.sub(held, 1, 1) ~= 'L' or string.sub(held, 42, 57) ~= ARGV[6] then return 0 end
local version = ARGV[2]
local known = string.sub(held, 22, 41)
if version < known then
  if ARGV[3] ~= 'A' then return 0 end
  version = known
end
redis.call('SET', KEYS[1], ARGV[3] .. ARGV[1] .. version .. ARGV[4], 'PX', ARGV[5])
return 1";

const REPLACE: &str = r"
local held = redis.call('GETRANGE', KEYS[1], 0, 40)
if #held == 41 then
  local version = string.sub(held, 22, 41)
  if version > ARGV[2] then return 0 end
  if version == ARGV[2] and string.sub(held, 1, 1) ~= 'L' and string.sub(held, 2, 21) >= ARGV[1] then return 0 end
end
local done = redis.pcall('SET', KEYS[1], ARGV[3] .. ARGV[1] .. ARGV[2] .. ARGV[4], 'PX', ARGV[5])
if type(done) == 'table' and done.err then redis.call('DEL', KEYS[1]) end
return 1";

const BEGIN_GENERATION: &str = r"
local next = math.max((tonumber(redis.call('GET', KEYS[1]) or '0') or 0) + 1, tonumber(ARGV[1]))
local digits = string.format('%.0f', next)
redis.call('SET', KEYS[1], digits)
return digits";

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            lease: Script::new(LEASE),
            fill: Script::new(FILL),
            replace: Script::new(REPLACE),
            begin_generation: Script::new(BEGIN_GENERATION),
        }
    }
}
