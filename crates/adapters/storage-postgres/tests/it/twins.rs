//! A twin for each tenant: whatever row a tenant gets, another tenant has too, with the same ids.

use diesel::PgConnection;
use diesel::connection::SimpleConnection;

/// Has the tables of the schema that is first on the connection's path make the twins' rows. Whoever sees another
/// tenant's rows meets them as rows too many, and nobody can change them.
///
/// Twins stand in no list of tenants, so foreign keys are dropped. What functions that run as the owner go through in
/// all tenants is made so that they pass it by: twins have no job that is due, no value that ends, and no key of the
/// same id, which only one can have. A twin's job is with a worker for the first time, as the tenant's soon is.
pub(crate) fn add_twins(connection: &mut PgConnection) {
    connection.batch_execute(TWINS).unwrap();
}

const TWINS: &str = "
CREATE FUNCTION add_twin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    NEW.tenant_number := NEW.tenant_number + (1::bigint << 62);
    IF TG_TABLE_NAME = 'jobs' THEN
        NEW.set_aside_at := now();
        NEW.is_leased := true;
        NEW.deliveries := 1;
    ELSIF TG_TABLE_NAME = 'key_values' THEN
        NEW.expires_at := NULL;
    ELSIF TG_TABLE_NAME = 'tenant_keys' THEN
        NEW.key_id := '~' || NEW.key_id;
    END IF;
    EXECUTE format('INSERT INTO %I.%I SELECT ($1).* ON CONFLICT DO NOTHING', TG_TABLE_SCHEMA, TG_TABLE_NAME) USING NEW;
    RETURN NULL;
END
$$;

CREATE FUNCTION keep_twin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of another tenant''s in % was to be changed', TG_TABLE_NAME;
END
$$;

DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND contype = 'f'
        UNION ALL
        SELECT format('CREATE TRIGGER add_twin AFTER INSERT ON %1$s FOR EACH ROW '
                      'WHEN (NEW.tenant_number < 1::bigint << 62) EXECUTE FUNCTION add_twin(); '
                      'CREATE TRIGGER keep_twin BEFORE UPDATE OR DELETE ON %1$s FOR EACH ROW '
                      'WHEN (OLD.tenant_number >= 1::bigint << 62) EXECUTE FUNCTION keep_twin()', c.oid::regclass)
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_number'
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'tenants'
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;";
