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
        created_at -> BigInt,
        updated_at -> BigInt,
        erasure_started_at -> Nullable<BigInt>,
        erased_rows -> BigInt,
    }
}

diesel::table! {
    tenant_counters (tenant_number) {
        tenant_number -> BigInt,
        event_sequence -> BigInt,
        last_event_at -> Nullable<BigInt>,
        key_value_revision -> BigInt,
    }
}

diesel::table! {
    admin_keys (key_id) {
        key_id -> Text,
        hash -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    tenant_keys (tenant_number, created_at, key_id) {
        tenant_number -> BigInt,
        key_id -> Text,
        hash -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    events (tenant_number, sequence) {
        tenant_number -> BigInt,
        sequence -> BigInt,
        id -> Binary,
        component -> Text,
        environment -> Text,
        message -> Text,
        email -> Nullable<Text>,
        data -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    key_values (tenant_number, key) {
        tenant_number -> BigInt,
        key -> Text,
        content_type -> Text,
        version -> BigInt,
        revision -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        value -> Binary,
    }
}

diesel::table! {
    jobs (tenant_number, feed_id, run_id) {
        tenant_number -> BigInt,
        feed_id -> Binary,
        run_id -> Binary,
        available_at -> BigInt,
        deliveries -> BigInt,
        is_leased -> Bool,
        is_published_again -> Bool,
        set_aside_at -> Nullable<BigInt>,
        set_aside_reason -> Nullable<Text>,
    }
}

// Of the catalog's tables only what is written or read row by row; what is done with many rows at once is SQL.

diesel::table! {
    plans (tenant_number, id) {
        tenant_number -> BigInt,
        id -> Binary,
        derived_id -> Nullable<Binary>,
        digest -> Binary,
        title -> Text,
        starts_at -> BigInt,
        ends_at -> BigInt,
        min_cents -> Nullable<BigInt>,
        max_cents -> Nullable<BigInt>,
        ever_online -> Bool,
        in_feed -> Bool,
    }
}

diesel::table! {
    staged_plans (tenant_number, staging, id) {
        tenant_number -> BigInt,
        staging -> BigInt,
        id -> Binary,
        derived_id -> Nullable<Binary>,
        digest -> Binary,
    }
}

diesel::joinable!(tenant_counters -> tenants (tenant_number));
diesel::joinable!(tenant_keys -> tenants (tenant_number));
diesel::allow_tables_to_appear_in_same_query!(tenants, tenant_counters, tenant_keys);
