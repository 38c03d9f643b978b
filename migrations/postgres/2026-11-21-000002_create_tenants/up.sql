CREATE TABLE tenants (
    tenant_number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name               text        COLLATE "C" NOT NULL,
    status             text        COLLATE "C" NOT NULL CHECK (status IN ('active', 'suspended', 'deleting')),
    tenant_info        text        NOT NULL,
    version            bigint      NOT NULL CHECK (version > 0),
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    erasure_started_at timestamptz,
    erased_rows        bigint      NOT NULL DEFAULT 0 CHECK (erased_rows >= 0)
);

CREATE INDEX tenants_deleting ON tenants (tenant_number) WHERE status = 'deleting';

COMMENT ON COLUMN tenants.tenant_number IS
    'From a sequence, which never gives a number again, not even when the tenant that had the last one is gone.';
COMMENT ON COLUMN tenants.tenant_info IS 'JSON as it was sent, to the letter: text, since jsonb would change it.';
COMMENT ON COLUMN tenants.erasure_started_at IS 'Set while the tenant is being deleted.';

CREATE TABLE tenant_counters (
    tenant_number      bigint      NOT NULL PRIMARY KEY REFERENCES tenants (tenant_number),
    event_sequence     bigint      NOT NULL DEFAULT 0 CHECK (event_sequence >= 0),
    last_event_at      timestamptz,
    key_value_revision bigint      NOT NULL DEFAULT 0 CHECK (key_value_revision >= 0)
) WITH (fillfactor = 50);

COMMENT ON TABLE tenant_counters IS
    'What was given out last in each tenant. Its row is locked for as long as a transaction writes the tenant''s '
    'data. Apart from tenants, and with room in its pages, so that a batch of writes changes a short row in place.';
COMMENT ON COLUMN tenant_counters.last_event_at IS 'created_at of the event of event_sequence.';

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenants TO tenantry_application
    USING (tenant_number = (SELECT current_tenant()));
CREATE POLICY registry ON tenants TO tenantry_application
    USING ((SELECT current_setting('tenantry.scope', true)) = 'registry');
CREATE POLICY owner ON tenants TO tenantry_owner USING (true);

COMMENT ON POLICY registry ON tenants IS
    'For the registry itself, which no tenant asks: making and listing tenants. Of the tables with tenants'' data '
    'no other has such a door.';
COMMENT ON POLICY owner ON tenants IS
    'For the functions that run as tenantry_owner (SECURITY DEFINER): find_grants.';

ALTER TABLE tenant_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant_counters TO tenantry_application
    USING (tenant_number = (SELECT current_tenant()));

GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, tenant_counters TO tenantry_application;

CREATE FUNCTION lock_tenants(tenants bigint[], waits boolean)
RETURNS TABLE (
    tenant_number bigint,
    status text,
    event_sequence bigint,
    last_event_at timestamptz,
    key_value_revision bigint
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    tenant bigint;
BEGIN
    FOREACH tenant IN ARRAY tenants LOOP
        PERFORM set_config('tenantry.tenant', tenant::text, true);
        IF waits THEN
            PERFORM FROM tenant_counters AS c WHERE c.tenant_number = tenant FOR UPDATE;
        ELSE
            PERFORM FROM tenant_counters AS c WHERE c.tenant_number = tenant FOR UPDATE SKIP LOCKED;
        END IF;
        -- Read by a statement of its own: what one sees that had to wait is older than what it waited for.
        IF FOUND THEN
            RETURN QUERY
                SELECT t.tenant_number, t.status, c.event_sequence, c.last_event_at, c.key_value_revision
                FROM tenant_counters AS c JOIN tenants AS t USING (tenant_number)
                WHERE c.tenant_number = tenant;
        END IF;
    END LOOP;
END
$$;

COMMENT ON FUNCTION lock_tenants(bigint[], boolean) IS
    'Locks the counters of these tenants until the transaction ends, in the order given, and reads them. '
    'Whoever gives them in ascending order can''t deadlock. Without waiting, those that another has are left out.';
