CREATE TABLE catalogs (
    tenant_number bigint NOT NULL PRIMARY KEY REFERENCES tenants (tenant_number),
    revision      bigint NOT NULL DEFAULT 0 CHECK (revision >= 0),
    last_staging  bigint NOT NULL DEFAULT 0 CHECK (last_staging >= 0)
) WITH (fillfactor = 50);

COMMENT ON TABLE catalogs IS
    'A tenant''s catalog as a whole. Its row is locked for as long as a transaction writes anything of the catalog: '
    'not tenant_counters, since an import that becomes the catalog takes a while, and no other write is to wait for it.';
COMMENT ON COLUMN catalogs.last_staging IS 'The number that was last given to a staging.';

CREATE TABLE feeds (
    tenant_number    bigint      NOT NULL,
    feed_id          uuid        NOT NULL,
    name             text        NOT NULL,
    url              text        NOT NULL,
    interval_seconds bigint      NOT NULL CHECK (interval_seconds > 0),
    time_zone        text        NOT NULL,
    enabled          boolean     NOT NULL,
    version          bigint      NOT NULL CHECK (version > 0),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    next_run_at      timestamptz,
    last_success_at  timestamptz,
    etag             text,
    last_modified    text,
    imports          bigint      NOT NULL DEFAULT 0 CHECK (imports >= 0),
    PRIMARY KEY (tenant_number, feed_id)
);

CREATE INDEX feeds_due ON feeds (next_run_at) WHERE next_run_at IS NOT NULL;

COMMENT ON TABLE feeds IS
    'Where a tenant''s catalog comes from. No foreign key, as for events: whoever writes here holds the tenant''s row '
    'in catalogs locked. That holds for all tables of the catalog.';
COMMENT ON COLUMN feeds.next_run_at IS 'Set while it is enabled.';
COMMENT ON COLUMN feeds.etag IS 'What the provider said of the answer that was last taken whole; so last_modified.';
COMMENT ON COLUMN feeds.imports IS
    'How often a run became the catalog: whether what a run has compared with still stands.';
COMMENT ON INDEX feeds_due IS 'For the timer, which asks of all tenants.';

CREATE TABLE feed_runs (
    tenant_number    bigint      NOT NULL,
    feed_id          uuid        NOT NULL,
    run_id           uuid        NOT NULL,
    cause            text        NOT NULL CHECK (cause IN ('schedule', 'request', 'file', 'replay')),
    state            text        COLLATE "C" NOT NULL CHECK (state IN
        ('queued', 'running', 'succeeded', 'unchanged', 'failed', 'held', 'superseded')),
    queued_at        timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz,
    bytes            bigint      NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    attempts         bigint      NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    plans_seen       bigint      NOT NULL DEFAULT 0 CHECK (plans_seen >= 0),
    plans_new        bigint      NOT NULL DEFAULT 0 CHECK (plans_new >= 0),
    plans_changed    bigint      NOT NULL DEFAULT 0 CHECK (plans_changed >= 0),
    plans_unchanged  bigint      NOT NULL DEFAULT 0 CHECK (plans_unchanged >= 0),
    plans_left_sale  bigint      NOT NULL DEFAULT 0 CHECK (plans_left_sale >= 0),
    rejected         bigint      NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    detail           text,
    catalog_revision bigint,
    claim_number     bigint      NOT NULL DEFAULT 0 CHECK (claim_number >= 0),
    claimed_until    timestamptz,
    staging          bigint,
    feed_version     bigint,
    feed_imports     bigint,
    etag             text,
    last_modified    text,
    CHECK ((state = 'running') = (claimed_until IS NOT NULL)),
    CHECK ((state IN ('running', 'held')) = (staging IS NOT NULL)),
    PRIMARY KEY (tenant_number, feed_id, run_id)
);

CREATE UNIQUE INDEX feed_runs_open ON feed_runs (tenant_number, feed_id) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX feed_runs_held ON feed_runs (tenant_number, feed_id) WHERE state = 'held';
CREATE INDEX feed_runs_waiting ON feed_runs (queued_at) WHERE state IN ('queued', 'running');

COMMENT ON COLUMN feed_runs.claim_number IS '0 before the first claim; what comes with another number is refused.';
COMMENT ON COLUMN feed_runs.claimed_until IS
    'When the claim ends, by this server''s own clock, so that nodes need not agree about theirs.';
COMMENT ON COLUMN feed_runs.staging IS 'Under which number its rows are staged, while it has any.';
COMMENT ON COLUMN feed_runs.feed_version IS
    'What its feed''s version was when it began to stage; so feed_imports its imports.';
COMMENT ON COLUMN feed_runs.etag IS
    'While it is held: what the provider said of its answer; so last_modified.';
COMMENT ON INDEX feed_runs_open IS 'A feed has at most one run that has not ended.';
COMMENT ON INDEX feed_runs_held IS 'And at most one that is held.';
COMMENT ON INDEX feed_runs_waiting IS 'For whoever looks after runs that nobody works on, in any tenant.';

CREATE TABLE plan_contents (
    tenant_number        bigint      NOT NULL,
    staging              bigint      NOT NULL,
    id                   uuid        NOT NULL,
    title                text        NOT NULL,
    sell_mode            text        NOT NULL CHECK (sell_mode IN ('online', 'offline')),
    organizer_company_id text,
    starts_at            timestamptz NOT NULL,
    ends_at              timestamptz NOT NULL CHECK (ends_at >= starts_at),
    sell_from            timestamptz,
    sell_to              timestamptz,
    sold_out             boolean     NOT NULL,
    min_cents            bigint,
    max_cents            bigint,
    zones                text        NOT NULL,
    PRIMARY KEY (tenant_number, staging, id)
);

COMMENT ON TABLE plan_contents IS
    'Everything that a provider told of a plan, once for each time that it differed, under the number of the staging '
    'that brought it. No row is ever changed.';
COMMENT ON COLUMN plan_contents.zones IS 'JSON as it is shown: text, since jsonb would change it.';

CREATE TABLE plan_versions (
    tenant_number bigint      NOT NULL,
    id            uuid        NOT NULL,
    version       bigint      NOT NULL CHECK (version > 0),
    seen_at       timestamptz NOT NULL,
    digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
    staging       bigint      NOT NULL,
    PRIMARY KEY (tenant_number, id, version)
);

COMMENT ON TABLE plan_versions IS
    'Which content a plan had from when on. A content that no version names is nobody''s yet, or nobody''s any more.';
COMMENT ON COLUMN plan_versions.staging IS 'The staging under which its content stands.';

CREATE TABLE plans (
    tenant_number bigint      NOT NULL,
    id            uuid        NOT NULL,
    feed_id       uuid        NOT NULL,
    base_plan_id  text        NOT NULL,
    plan_id       text        NOT NULL,
    version       bigint      NOT NULL CHECK (version > 0),
    digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
    title         text        NOT NULL,
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    min_cents     bigint,
    max_cents     bigint,
    is_online     boolean     NOT NULL,
    ever_online   boolean     NOT NULL,
    in_feed       boolean     NOT NULL,
    first_seen_at timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (tenant_number, id)
) WITH (fillfactor = 70);

CREATE INDEX plans_in_feed ON plans (tenant_number, feed_id, id) WHERE in_feed;

COMMENT ON TABLE plans IS
    'Each plan with its newest version, and of that what the search needs: short rows, however many zones there are. '
    'Some room is left in each page, so that one can be replaced beside the old one.';
COMMENT ON COLUMN plans.in_feed IS 'Whether the last whole fetch of its feed held it.';
COMMENT ON COLUMN plans.seen_at IS
    'When a fetch last held it; while it is in its feed, the feed''s last success counts where that is later. So a '
    'fetch that changed nothing changes no plan.';

CREATE TABLE staged_plans (
    tenant_number   bigint  NOT NULL,
    staging         bigint  NOT NULL,
    id              uuid    NOT NULL,
    digest          bytea   NOT NULL CHECK (octet_length(digest) = 32),
    difference      text    NOT NULL CHECK (difference IN ('new', 'changed', 'none')),
    was_in_feed     boolean NOT NULL,
    base_plan_id    text,
    plan_id         text,
    title           text,
    starts_at       timestamptz,
    ends_at         timestamptz,
    min_cents       bigint,
    max_cents       bigint,
    is_online       boolean,
    content_staging bigint,
    CHECK (difference = 'none' OR content_staging IS NOT NULL),
    PRIMARY KEY (tenant_number, staging, id)
);

COMMENT ON TABLE staged_plans IS
    'The plans that a run has read, before they become the catalog. Those of which nothing differs have only the '
    'columns up to was_in_feed.';
COMMENT ON COLUMN staged_plans.difference IS
    'Compared with the catalog as it was when the run''s feed had so many imports (feed_runs.feed_imports); so '
    'was_in_feed.';

CREATE TABLE staged_rejects (
    tenant_number bigint NOT NULL,
    staging       bigint NOT NULL,
    reject_id     bytea  NOT NULL CHECK (octet_length(reject_id) = 16),
    place_offset  bigint NOT NULL,
    base_plan_id  text,
    plan_id       text,
    code          text   NOT NULL,
    detail        text   NOT NULL,
    PRIMARY KEY (tenant_number, staging, reject_id)
);

COMMENT ON TABLE staged_rejects IS 'The records of a run that could not be taken. Their texts stand in reject_texts.';

CREATE TABLE feed_rejects (
    tenant_number bigint      NOT NULL,
    feed_id       uuid        NOT NULL,
    reject_id     bytea       NOT NULL CHECK (octet_length(reject_id) = 16),
    run_id        uuid        NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    place_offset  bigint      NOT NULL,
    base_plan_id  text,
    plan_id       text,
    code          text        NOT NULL,
    detail        text        NOT NULL,
    staging       bigint      NOT NULL,
    PRIMARY KEY (tenant_number, feed_id, reject_id)
);

CREATE INDEX feed_rejects_by_staging ON feed_rejects (tenant_number, staging, reject_id);

COMMENT ON COLUMN feed_rejects.staging IS 'The staging under which its text stands.';
COMMENT ON INDEX feed_rejects_by_staging IS 'For the question whether a text is anybody''s.';

CREATE TABLE reject_texts (
    tenant_number bigint NOT NULL,
    staging       bigint NOT NULL,
    reject_id     bytea  NOT NULL CHECK (octet_length(reject_id) = 16),
    raw           text   NOT NULL,
    PRIMARY KEY (tenant_number, staging, reject_id)
);

COMMENT ON TABLE reject_texts IS 'The texts of rejects, which may be long: no row is ever moved or changed.';

CREATE TABLE discards (
    tenant_number bigint NOT NULL,
    staging       bigint NOT NULL,
    PRIMARY KEY (tenant_number, staging)
);

COMMENT ON TABLE discards IS
    'Stagings that have ended: what they have left, and nobody names, is removed a bounded number of rows at a time.';

DO $$
DECLARE
    held text;
BEGIN
    FOREACH held IN ARRAY ARRAY['catalogs', 'feeds', 'feed_runs', 'plan_contents', 'plan_versions', 'plans',
                                'staged_plans', 'staged_rejects', 'feed_rejects', 'reject_texts', 'discards'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', held);
        EXECUTE format('CREATE POLICY tenant ON %I TO tenantry_application '
                       'USING (tenant_number = (SELECT current_tenant()))', held);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO tenantry_application', held);
    END LOOP;
END
$$;

CREATE POLICY owner ON feeds TO tenantry_owner USING (true);
CREATE POLICY owner ON feed_runs TO tenantry_owner USING (true);
CREATE POLICY owner ON discards TO tenantry_owner USING (true);

COMMENT ON POLICY owner ON feeds IS
    'For the function that runs as tenantry_owner (SECURITY DEFINER): due_feeds.';
COMMENT ON POLICY owner ON feed_runs IS
    'For the function that runs as tenantry_owner (SECURITY DEFINER): stranded_runs.';
COMMENT ON POLICY owner ON discards IS
    'For the function that runs as tenantry_owner (SECURITY DEFINER): tenants_with_discards.';

CREATE FUNCTION lock_catalogs(tenants bigint[], waits boolean)
RETURNS TABLE (tenant_number bigint, status text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    tenant bigint;
BEGIN
    FOREACH tenant IN ARRAY tenants LOOP
        PERFORM set_config('tenantry.tenant', tenant::text, true);
        IF waits THEN
            INSERT INTO catalogs (tenant_number)
                SELECT t.tenant_number FROM tenants AS t
                WHERE t.tenant_number = tenant AND t.status <> 'deleting'
                ON CONFLICT DO NOTHING;
            PERFORM FROM catalogs AS c WHERE c.tenant_number = tenant FOR UPDATE;
        ELSE
            PERFORM FROM catalogs AS c WHERE c.tenant_number = tenant FOR UPDATE SKIP LOCKED;
        END IF;
        -- Read by a statement of its own: what one sees that had to wait is older than what it waited for.
        IF FOUND THEN
            RETURN QUERY SELECT t.tenant_number, t.status FROM tenants AS t WHERE t.tenant_number = tenant;
        END IF;
    END LOOP;
END
$$;

COMMENT ON FUNCTION lock_catalogs(bigint[], boolean) IS
    'Locks the catalogs of these tenants until the transaction ends, in the order given. Whoever gives them in '
    'ascending order, and then waits for nothing else, can''t deadlock. Without waiting, those that another has are '
    'left out; so are tenants that are not there.';

CREATE FUNCTION due_feeds(moment timestamptz, max_rows integer)
RETURNS TABLE (tenant_number bigint, feed_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT f.tenant_number, f.feed_id FROM feeds AS f JOIN tenants AS t USING (tenant_number)
        WHERE f.next_run_at <= moment AND t.status = 'active' ORDER BY f.next_run_at LIMIT max_rows;
END
$$;

COMMENT ON FUNCTION due_feeds(timestamptz, integer) IS
    'Which feeds, of any active tenants, are to be run at that moment, the longest due first. Runs as tenantry_owner, '
    'since the timer does not know the tenants yet; it shows keys alone.';

CREATE FUNCTION stranded_runs(queued_before timestamptz, max_rows integer)
RETURNS TABLE (tenant_number bigint, feed_id uuid, run_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
        SELECT r.tenant_number, r.feed_id, r.run_id FROM feed_runs AS r JOIN tenants AS t USING (tenant_number)
        WHERE r.state IN ('queued', 'running') AND t.status <> 'deleting'
          AND CASE r.state WHEN 'queued' THEN r.queued_at < queued_before ELSE r.claimed_until <= moment END
        ORDER BY r.queued_at LIMIT max_rows;
END
$$;

COMMENT ON FUNCTION stranded_runs(timestamptz, integer) IS
    'Which runs, of any tenants, nobody seems to work on, the oldest first: claims end by this server''s clock. Runs as tenantry_owner, since whoever looks '
    'after them does not know the tenants yet; it shows keys alone.';

CREATE FUNCTION tenants_with_discards(max_rows integer)
RETURNS TABLE (tenant_number bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT DISTINCT d.tenant_number FROM discards AS d ORDER BY d.tenant_number LIMIT max_rows;
END
$$;

COMMENT ON FUNCTION tenants_with_discards(integer) IS
    'Of which tenants something is left to be removed. Runs as tenantry_owner, since whoever removes it does not know '
    'the tenants yet; it shows their numbers alone.';

REVOKE EXECUTE ON FUNCTION due_feeds(timestamptz, integer), stranded_runs(timestamptz, integer),
    tenants_with_discards(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_feeds(timestamptz, integer), stranded_runs(timestamptz, integer),
    tenants_with_discards(integer) TO tenantry_application;
