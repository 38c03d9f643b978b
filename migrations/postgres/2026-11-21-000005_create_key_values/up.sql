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

CREATE FUNCTION find_key_values(tenants bigint[], ends integer[], keys text[], with_values boolean)
RETURNS TABLE (
    tenant_number bigint,
    key text,
    row_place tid,
    content_type text,
    version bigint,
    revision bigint,
    created_at timestamptz,
    updated_at timestamptz,
    expires_at timestamptz,
    value bytea
)
LANGUAGE plpgsql
-- A plan for any number of keys will do. PostgreSQL would find one for a single key a little cheaper, by its
-- estimate, and plan each such call anew, which takes three times as long as the call.
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    low integer := 1;
BEGIN
    FOR turn IN 1 .. cardinality(tenants) LOOP
        PERFORM set_config('tenantry.tenant', tenants[turn]::text, true);
        RETURN QUERY
            SELECT k.tenant_number, k.key, k.row_place, k.content_type, k.version, k.revision, k.created_at, k.updated_at,
                   k.expires_at, CASE WHEN with_values THEN k.value END
            FROM unnest(keys[low:ends[turn]]) AS n (key)
            -- As in held_events, LIMIT keeps this a look-up for each key. With = ANY in its place the plan may be to
            -- read all of the tenant's keys, where it takes them to be few.
            CROSS JOIN LATERAL (
                SELECT h.ctid AS row_place, h.* FROM key_values AS h
                WHERE h.tenant_number = tenants[turn] AND h.key = n.key COLLATE "C" LIMIT 1
            ) AS k;
        low := ends[turn] + 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION find_key_values(bigint[], integer[], text[], boolean) IS
    'The entries of these keys, those that have ended included, each once and in no order. The keys of tenants[i] end '
    'at ends[i]. row_place: where the row stands, for store_key_values in the same transaction, which has the tenant '
    'locked. value: nothing where it was not asked for.';

CREATE FUNCTION replace_key_values(
    tenant bigint,
    now timestamptz,
    row_places tid[],
    keys text[],
    content_types text[],
    versions bigint[],
    revisions bigint[],
    created_ats timestamptz[],
    expires_ats timestamptz[],
    "values" bytea[]
)
RETURNS bigint
LANGUAGE plpgsql
-- The rows are found by their places alone, and no index is asked again. A plan that was made while the table was empty
-- would read all of the tenant's rows instead, as it takes them to be few.
SET enable_indexscan = off
SET enable_bitmapscan = off
SET enable_seqscan = off
AS $$
DECLARE
    done bigint;
BEGIN
    UPDATE key_values AS k SET
        content_type = n.content_type, version = n.version, revision = n.revision, created_at = n.created_at,
        updated_at = now, expires_at = n.expires_at, value = n.value
    FROM unnest(row_places, keys, content_types, versions, revisions, created_ats, expires_ats, "values")
        AS n (row_place, key, content_type, version, revision, created_at, expires_at, value)
    WHERE k.ctid = n.row_place AND k.tenant_number = tenant AND k.key = n.key COLLATE "C";
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END
$$;

COMMENT ON FUNCTION replace_key_values IS
    'For store_key_values: replaces the values of keys of the tenant that the transaction is about, where '
    'find_key_values has found their rows, and says how many were there. (An INSERT … ON CONFLICT would look each up '
    'in the index once more, and write to the log that it locks the row.)';

CREATE FUNCTION store_key_values(
    tenants bigint[],
    replaced_ends integer[],
    new_ends integer[],
    ends integer[],
    last_revisions bigint[],
    now timestamptz,
    row_places tid[],
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
    done bigint;
BEGIN
    FOR turn IN 1 .. cardinality(tenants) LOOP
        PERFORM set_config('tenantry.tenant', tenants[turn]::text, true);
        high := replaced_ends[turn];
        IF low <= high THEN
            done := replace_key_values(tenants[turn], now, row_places[low:high], keys[low:high],
                                       content_types[low:high], versions[low:high], revisions[low:high],
                                       created_ats[low:high], expires_ats[low:high], "values"[low:high]);
            IF done <> high - low + 1 THEN
                RAISE EXCEPTION 'of % key-values only % stand where they were found', high - low + 1, done;
            END IF;
        END IF;
        low := high + 1;
        high := new_ends[turn];
        IF low <= high THEN
            INSERT INTO key_values (tenant_number, key, content_type, version, revision, created_at, updated_at,
                                    expires_at, value)
            SELECT tenants[turn], n.key, n.content_type, n.version, n.revision, n.created_at, now, n.expires_at,
                   n.value
            FROM unnest(keys[low:high], content_types[low:high], versions[low:high], revisions[low:high],
                        created_ats[low:high], expires_ats[low:high], "values"[low:high])
                AS n (key, content_type, version, revision, created_at, expires_at, value);
        END IF;
        low := high + 1;
        high := ends[turn];
        FOR gone IN low .. high LOOP
            DELETE FROM key_values AS k WHERE k.tenant_number = tenants[turn] AND k.key = keys[gone] COLLATE "C";
        END LOOP;
        UPDATE tenant_counters SET key_value_revision = last_revisions[turn]
            WHERE tenant_number = tenants[turn];
        low := high + 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION store_key_values IS
    'Puts what is to stand under these keys, each once, of several tenants, and moves the counters of these, which '
    'the transaction has locked. In the arrays behind now, the keys of tenants[i] that are there, and where '
    'find_key_values has found them in this transaction, end at replaced_ends[i]; behind them those that are not '
    'there, up to new_ends[i]; and behind these, up to ends[i], those that are to be removed.';

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
