REVOKE SELECT, UPDATE ON SEQUENCE tenants_tenant_number_seq FROM tenantry_application;
