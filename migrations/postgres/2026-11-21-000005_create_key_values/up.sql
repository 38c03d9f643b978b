CREATE TABLE key_values (
    tenant_number bigint      NOT NULL,
    key           text        COLLATE "C" NOT NULL,
    content_type  text        NOT NULL,
    version       bigint      NOT NULL,
    revision      bigint      NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    value         bytea       NOT NULL,
    PRIMARY KEY (tenant_number, key)
) WITH (fillfactor = 85);

CREATE INDEX key_values_by_end ON key_values (expires_at) WHERE expires_at IS NOT NULL;

COMMENT ON TABLE key_values IS
    'No foreign key, as for events. Some room is left in each page, so that a value can be replaced beside the old '
    'one and no index need be touched.';
COMMENT ON COLUMN key_values.key IS 'Compared by its bytes.';
COMMENT ON INDEX key_values_by_end IS 'For the sweep, which looks for what has ended in any tenant.';

ALTER TABLE key_values ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_values FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON key_values TO tenantry_application
    USING (tenant_number = (SELECT current_tenant()));
CREATE POLICY owner ON key_values TO tenantry_owner USING (true);

COMMENT ON POLICY owner ON key_values IS
    'For the function that runs as tenantry_owner (SECURITY DEFINER): ended_key_values.';

GRANT SELECT, INSERT, UPDATE, DELETE ON key_values TO tenantry_application;

CREATE FUNCTION find_key_values(tenants bigint[], keys text[], with_values boolean[])
RETURNS TABLE (
    place integer,
    content_type text,
    version bigint,
    revision bigint,
    created_at timestamptz,
    updated_at timestamptz,
    expires_at timestamptz,
    value bytea
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    tenant bigint;
BEGIN
    FOR at IN 1 .. cardinality(keys) LOOP
        IF tenant IS DISTINCT FROM tenants[at] THEN
            tenant := tenants[at];
            PERFORM set_config('tenantry.tenant', tenant::text, true);
        END IF;
        RETURN QUERY
            SELECT at, k.content_type, k.version, k.revision, k.created_at, k.updated_at, k.expires_at,
                   CASE WHEN with_values[at] THEN k.value END
            FROM key_values AS k WHERE k.tenant_number = tenant AND k.key = keys[at] COLLATE "C";
    END LOOP;
END
$$;

COMMENT ON FUNCTION find_key_values(bigint[], text[], boolean[]) IS
    'The entries of these keys, of one tenant each, those that have ended included. place: which of the keys, '
    'counted from 1. value: nothing where it was not asked for.';

CREATE FUNCTION store_key_values(
    tenants bigint[],
    ends integer[],
    last_revisions bigint[],
    now timestamptz,
    keys text[],
    content_types text[],
    versions bigint[],
    revisions bigint[],
    created_ats timestamptz[],
    expires_ats timestamptz[],
    "values" bytea[]
)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    low integer := 1;
    high integer;
BEGIN
    FOR turn IN 1 .. cardinality(tenants) LOOP
        PERFORM set_config('tenantry.tenant', tenants[turn]::text, true);
        high := ends[turn];
        INSERT INTO key_values AS held (tenant_number, key, content_type, version, revision, created_at,
                                        updated_at, expires_at, value)
            SELECT tenants[turn], n.key, n.content_type, n.version, n.revision, n.created_at, now,
                   n.expires_at, n.value
            FROM unnest(keys[low:high], content_types[low:high], versions[low:high], revisions[low:high],
                        created_ats[low:high], expires_ats[low:high], "values"[low:high])
                AS n (key, content_type, version, revision, created_at, expires_at, value)
            WHERE n.version > 0
            ON CONFLICT (tenant_number, key) DO UPDATE SET
                content_type = excluded.content_type, version = excluded.version, revision = excluded.revision,
                created_at = excluded.created_at, updated_at = excluded.updated_at,
                expires_at = excluded.expires_at, value = excluded.value;
        FOR gone IN low .. high LOOP
            IF versions[gone] = 0 THEN
                DELETE FROM key_values AS k
                    WHERE k.tenant_number = tenants[turn] AND k.key = keys[gone] COLLATE "C";
            END IF;
        END LOOP;
        UPDATE tenant_counters SET key_value_revision = last_revisions[turn]
            WHERE tenant_number = tenants[turn];
        low := high + 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION store_key_values IS
    'Puts what is to stand under these keys, each once, of several tenants, and moves the counters of these, which '
    'the transaction has locked. The keys of tenants[i] end at ends[i] in the arrays behind now. A key of '
    'version 0 is removed.';

CREATE FUNCTION ended_key_values(moment timestamptz, max_rows integer)
RETURNS TABLE (tenant_number bigint, key text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT k.tenant_number, k.key FROM key_values AS k
        WHERE k.expires_at <= moment ORDER BY k.expires_at LIMIT max_rows;
END
$$;

COMMENT ON FUNCTION ended_key_values(timestamptz, integer) IS
    'Which key-values, of any tenants, have ended at that moment. Runs as tenantry_owner, since the sweep does not '
    'know the tenants yet; it shows keys alone, and only of what nobody can read any more.';

REVOKE EXECUTE ON FUNCTION ended_key_values(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ended_key_values(timestamptz, integer) TO tenantry_application;
