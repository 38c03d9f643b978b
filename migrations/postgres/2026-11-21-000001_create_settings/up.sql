-- Run as tenantry_owner, which so becomes the owner of everything. Both roles are there already: a role is the
-- whole server's, not a schema's, so it is made before the first migration (roles.sql) and never dropped.

-- Which tenant the transaction is about. Nothing where that was not said: then no row is seen.
CREATE FUNCTION current_tenant() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT NULLIF(current_setting('tenantry.tenant', true), '')::bigint $$;

COMMENT ON FUNCTION current_tenant() IS
    'The tenant that the transaction is about: set_config(''tenantry.tenant'', …, true). Policies compare with it.';

CREATE TABLE settings (
    name  text  COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

COMMENT ON TABLE settings IS 'What the installation itself must remember. No tenant''s, so without policies.';

GRANT SELECT, INSERT ON settings TO tenantry_application;
GRANT SELECT ON __diesel_schema_migrations TO tenantry_application;
