CREATE TABLE events (
    tenant_number bigint      NOT NULL,
    sequence      bigint      NOT NULL,
    id            uuid        NOT NULL,
    component     text        COLLATE "C" NOT NULL,
    environment   text        COLLATE "C" NOT NULL,
    message       text        NOT NULL,
    email         text        COLLATE "C",
    data          text        NOT NULL,
    data_index    jsonb,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_number, sequence)
);

CREATE UNIQUE INDEX events_by_id ON events (tenant_number, id);
CREATE INDEX events_by_component ON events (tenant_number, component, environment, sequence);
CREATE INDEX events_by_environment ON events (tenant_number, environment, sequence);
CREATE INDEX events_by_email ON events (tenant_number, email, sequence) WHERE email IS NOT NULL;
CREATE INDEX events_by_data ON events USING gin (data_index jsonb_path_ops) WHERE data_index IS NOT NULL;

COMMENT ON TABLE events IS
    'No foreign key: whoever writes here holds the tenant''s row in tenant_counters locked, and has seen that the '
    'tenant is there. A key would look that up again for each row.';
COMMENT ON COLUMN events.created_at IS
    'Never falls as sequence grows, so a range of time is a range of the primary key and needs no index.';
COMMENT ON COLUMN events.data IS 'JSON as it was sent, to the letter: what counts.';
COMMENT ON COLUMN events.data_index IS
    'data once more, only to be found by: inside a member that is named like the tenant''s number, so that the '
    'index has the tenant first, and with each number as the binary float next to it. Nothing where data is empty '
    'or no float can be had. It leads to candidates; which of them contain what is asked for, the program decides.';

ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events TO tenantry_application
    USING (tenant_number = (SELECT current_tenant()));
CREATE POLICY owner ON events TO tenantry_owner USING (true);

COMMENT ON POLICY owner ON events IS
    'For the function that runs as tenantry_owner (SECURITY DEFINER): event_candidates.';

GRANT SELECT, INSERT, DELETE ON events TO tenantry_application;

CREATE FUNCTION held_events(tenants bigint[], ends integer[], ids uuid[])
RETURNS TABLE (place integer, sequence bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    low integer := 1;
BEGIN
    FOR turn IN 1 .. cardinality(tenants) LOOP
        PERFORM set_config('tenantry.tenant', tenants[turn]::text, true);
        RETURN QUERY
            SELECT low - 1 + n.place::integer, e.sequence
            FROM unnest(ids[low:ends[turn]]) WITH ORDINALITY AS n (id, place)
            -- LIMIT keeps this a look-up for each id. As a join it could be planned while the table is empty, and
            -- then reads all of the tenant's events for each batch.
            CROSS JOIN LATERAL (
                SELECT h.sequence FROM events AS h
                WHERE h.tenant_number = tenants[turn] AND h.id = n.id LIMIT 1
            ) AS e;
        low := ends[turn] + 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION held_events(bigint[], integer[], uuid[]) IS
    'Which of these ids their tenants have already. The ids of tenants[i] end at ends[i]. place: which of the ids, '
    'counted from 1.';

CREATE FUNCTION store_events(
    tenants bigint[],
    ends integer[],
    last_event_ats timestamptz[],
    sequences bigint[],
    ids uuid[],
    components text[],
    environments text[],
    messages text[],
    emails text[],
    datas text[],
    data_indexes text[]
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
        INSERT INTO events (tenant_number, sequence, id, component, environment, message, email, data,
                            data_index, created_at)
            SELECT tenants[turn], n.sequence, n.id, n.component, n.environment, n.message, n.email, n.data,
                   n.data_index::jsonb, last_event_ats[turn]
            FROM unnest(sequences[low:high], ids[low:high], components[low:high], environments[low:high],
                        messages[low:high], emails[low:high], datas[low:high], data_indexes[low:high])
                AS n (sequence, id, component, environment, message, email, data, data_index);
        UPDATE tenant_counters
            SET event_sequence = sequences[high], last_event_at = last_event_ats[turn]
            WHERE tenant_number = tenants[turn];
        low := high + 1;
    END LOOP;
END
$$;

COMMENT ON FUNCTION store_events IS
    'Stores the events of several tenants, and moves the counters of these, which the transaction has locked. The '
    'events of tenants[i] end at ends[i] in the other arrays, by ascending sequence; all get last_event_ats[i].';

CREATE FUNCTION find_events(tenants bigint[], ids uuid[])
RETURNS TABLE (
    place integer,
    sequence bigint,
    id uuid,
    component text,
    environment text,
    message text,
    email text,
    data text,
    created_at timestamptz
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    FOR at IN 1 .. cardinality(ids) LOOP
        PERFORM set_config('tenantry.tenant', tenants[at]::text, true);
        RETURN QUERY
            SELECT at, e.sequence, e.id, e.component, e.environment, e.message, e.email, e.data, e.created_at
            FROM events AS e WHERE e.tenant_number = tenants[at] AND e.id = ids[at];
    END LOOP;
END
$$;

COMMENT ON FUNCTION find_events(bigint[], uuid[]) IS
    'The events of these ids, of one tenant each. place: which of the ids, counted from 1.';

CREATE FUNCTION first_event_at_or_after(tenant bigint, moment timestamptz, low bigint, high bigint)
RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    middle bigint;
    found_sequence bigint;
    found_at timestamptz;
BEGIN
    -- All below low were stored before that moment, all from high on were not.
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        -- The next one there is: it need not have this very sequence.
        SELECT e.sequence, e.created_at INTO found_sequence, found_at
            FROM events AS e WHERE e.tenant_number = tenant AND e.sequence >= middle
            ORDER BY e.sequence LIMIT 1;
        IF FOUND AND found_at < moment THEN
            low := LEAST(found_sequence + 1, high);
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN low;
END
$$;

COMMENT ON FUNCTION first_event_at_or_after(bigint, timestamptz, bigint, bigint) IS
    'The lowest sequence from low up whose event was stored at that moment or later; high where none below was.';

CREATE FUNCTION event_candidates(part jsonb, low bigint, high bigint, is_ascending boolean, max_rows integer)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    tenant bigint := current_tenant();
BEGIN
    IF is_ascending THEN
        RETURN QUERY
            SELECT e.sequence FROM events AS e
            WHERE e.tenant_number = tenant AND e.data_index @> part AND e.sequence BETWEEN low AND high
            ORDER BY e.sequence LIMIT max_rows;
    ELSE
        RETURN QUERY
            SELECT e.sequence FROM events AS e
            WHERE e.tenant_number = tenant AND e.data_index @> part AND e.sequence BETWEEN low AND high
            ORDER BY e.sequence DESC LIMIT max_rows;
    END IF;
END
$$;

COMMENT ON FUNCTION event_candidates(jsonb, bigint, bigint, boolean, integer) IS
    'The sequences of events of the tenant that the transaction is about whose data_index contains this. Runs as '
    'tenantry_owner: before a policy has passed a row, PostgreSQL may compare it by leakproof operators alone, and '
    '@> is none, so under the policy no index on it is used. It answers for current_tenant() and nobody else.';

REVOKE EXECUTE ON FUNCTION event_candidates(jsonb, bigint, bigint, boolean, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_candidates(jsonb, bigint, bigint, boolean, integer) TO tenantry_application;
