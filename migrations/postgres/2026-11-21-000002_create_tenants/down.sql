DROP FUNCTION lock_tenants(bigint[], boolean);
DROP TABLE tenant_counters;
DROP TABLE tenants;
