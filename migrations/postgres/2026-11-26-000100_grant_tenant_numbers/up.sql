-- A tenant that another system kept is stored under its number; new ones then get larger numbers. The application
-- moves the sequence for that, only ever forward.
GRANT SELECT, UPDATE ON SEQUENCE tenants_tenant_number_seq TO tenantry_application;
