//! The tables, as diesel knows them. What they are for stands in the migrations.

diesel::table! {
    settings (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    tenants (tenant_number) {
        tenant_number -> BigInt,
        name -> Text,
        status -> Text,
        tenant_info -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        erasure_started_at -> Nullable<Timestamptz>,
        erased_rows -> BigInt,
    }
}

diesel::table! {
    tenant_counters (tenant_number) {
        tenant_number -> BigInt,
        event_sequence -> BigInt,
        last_event_at -> Nullable<Timestamptz>,
        key_value_revision -> BigInt,
    }
}

diesel::table! {
    admin_keys (key_id) {
        key_id -> Text,
        hash -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    tenant_keys (tenant_number, created_at, key_id) {
        tenant_number -> BigInt,
        key_id -> Text,
        hash -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    events (tenant_number, sequence) {
        tenant_number -> BigInt,
        sequence -> BigInt,
        id -> Uuid,
        component -> Text,
        environment -> Text,
        message -> Text,
        email -> Nullable<Text>,
        data -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    key_values (tenant_number, key) {
        tenant_number -> BigInt,
        key -> Text,
        content_type -> Text,
        version -> BigInt,
        revision -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        value -> Binary,
    }
}

diesel::joinable!(tenant_counters -> tenants (tenant_number));
diesel::joinable!(tenant_keys -> tenants (tenant_number));
diesel::allow_tables_to_appear_in_same_query!(tenants, tenant_counters, tenant_keys);
