DROP TABLE tenant_counters;
DROP TABLE tenants;
