CREATE TABLE admin_keys (
    key_id       text        COLLATE "C" NOT NULL PRIMARY KEY,
    hash         bytea       NOT NULL CHECK (octet_length(hash) = 32),
    name         text        NOT NULL,
    scopes       text        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz
);

COMMENT ON TABLE admin_keys IS 'Keys of administrators: no tenant''s, so without policies.';
COMMENT ON COLUMN admin_keys.hash IS 'The SHA-256 of the key''s text, which is kept nowhere.';
COMMENT ON COLUMN admin_keys.scopes IS 'One line of words.';

CREATE TABLE tenant_keys (
    tenant_number bigint      NOT NULL REFERENCES tenants (tenant_number),
    key_id        text        COLLATE "C" NOT NULL,
    hash          bytea       NOT NULL CHECK (octet_length(hash) = 32),
    name          text        NOT NULL,
    scopes        text        NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    last_used_at  timestamptz,
    PRIMARY KEY (tenant_number, created_at, key_id)
);

CREATE UNIQUE INDEX tenant_keys_by_id ON tenant_keys (key_id);

COMMENT ON CONSTRAINT tenant_keys_pkey ON tenant_keys IS 'The order in which a tenant''s keys are listed.';
COMMENT ON INDEX tenant_keys_by_id IS
    'How a key is found when only its id is known: the one look-up that no tenant comes first in.';
COMMENT ON COLUMN tenant_keys.hash IS 'The SHA-256 of the key''s text, which is kept nowhere.';
COMMENT ON COLUMN tenant_keys.scopes IS 'One line of words.';

ALTER TABLE tenant_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant_keys TO tenantry_application
    USING (tenant_number = (SELECT current_tenant()));
CREATE POLICY owner ON tenant_keys TO tenantry_owner USING (true);

COMMENT ON POLICY owner ON tenant_keys IS
    'For the functions that run as tenantry_owner (SECURITY DEFINER): find_grants, record_key_use.';

GRANT SELECT, INSERT, DELETE ON tenant_keys TO tenantry_application;
GRANT SELECT, INSERT, UPDATE ON admin_keys TO tenantry_application;

CREATE FUNCTION find_grants(key_ids text[])
RETURNS TABLE (
    tenant_number bigint,
    tenant_status text,
    key_id text,
    hash bytea,
    name text,
    scopes text,
    created_at timestamptz,
    expires_at timestamptz,
    last_used_at timestamptz
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
-- As for find_key_values: else each call with one id would be planned anew.
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    found_keys bigint;
BEGIN
    RETURN QUERY
        SELECT k.tenant_number, t.status, k.key_id, k.hash, k.name, k.scopes, k.created_at, k.expires_at,
               k.last_used_at
        FROM unnest(key_ids) AS asked (id)
        -- LIMIT keeps these look-ups, whatever the plan takes the tables to hold: see held_events.
        CROSS JOIN LATERAL (SELECT * FROM tenant_keys AS h WHERE h.key_id = asked.id COLLATE "C" LIMIT 1) AS k
        CROSS JOIN LATERAL (
            SELECT h.status FROM tenants AS h WHERE h.tenant_number = k.tenant_number LIMIT 1
        ) AS t;
    GET DIAGNOSTICS found_keys = ROW_COUNT;
    IF found_keys < cardinality(key_ids) THEN
        RETURN QUERY
            SELECT NULL::bigint, NULL::text, k.key_id, k.hash, k.name, k.scopes, k.created_at, k.expires_at,
                   k.last_used_at
            FROM unnest(key_ids) AS asked (id)
            CROSS JOIN LATERAL (SELECT * FROM admin_keys AS h WHERE h.key_id = asked.id COLLATE "C" LIMIT 1) AS k;
    END IF;
END
$$;

COMMENT ON FUNCTION find_grants(text[]) IS
    'The keys of these ids, whoever''s they are, each once and in no order: how the tenant becomes known. Runs as '
    'tenantry_owner, since there is no tenant yet; it shows only what somebody knows the id of.';

CREATE FUNCTION record_key_use(key_ids text[], used_ats timestamptz[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    -- A row that another has locked is a key that is being revoked: nothing need be noted of it.
    WITH latest AS MATERIALIZED (
        SELECT id, max(used_at) AS used_at FROM unnest(key_ids, used_ats) AS uses (id, used_at) GROUP BY id
    ), free AS MATERIALIZED (
        SELECT k.key_id, latest.used_at
        FROM latest JOIN tenant_keys AS k ON k.key_id = latest.id COLLATE "C"
        WHERE k.last_used_at IS NULL OR k.last_used_at < latest.used_at
        FOR UPDATE OF k SKIP LOCKED
    )
    UPDATE tenant_keys AS k SET last_used_at = free.used_at FROM free WHERE k.key_id = free.key_id;
    WITH latest AS MATERIALIZED (
        SELECT id, max(used_at) AS used_at FROM unnest(key_ids, used_ats) AS uses (id, used_at) GROUP BY id
    )
    UPDATE admin_keys AS k SET last_used_at = latest.used_at
    FROM latest
    WHERE k.key_id = latest.id COLLATE "C" AND (k.last_used_at IS NULL OR k.last_used_at < latest.used_at);
END
$$;

COMMENT ON FUNCTION record_key_use(text[], timestamptz[]) IS
    'Notes when keys, of any tenants, were last used; never goes back. Runs as tenantry_owner, since the keys are '
    'many tenants''; it changes that one column and shows nothing.';

REVOKE EXECUTE ON FUNCTION find_grants(text[]), record_key_use(text[], timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_grants(text[]), record_key_use(text[], timestamptz[]) TO tenantry_application;
