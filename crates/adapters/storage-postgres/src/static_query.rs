//! Statements whose text never changes: prepared once a connection.
//!
//! Diesel prepares what is written as text (`sql_query`) anew each time, which is a round trip more; these
//! say of themselves that they stay the same.

/// Defines a statement as pieces of SQL, each followed by the value that stands behind it, and the types of
/// the columns that it answers with.
macro_rules! static_query {
    (
        $(#[$doc:meta])*
        $name:ident<$life:lifetime> {
            $($sql:literal $field:ident: $rust:ty as $type:ty),+ $(,)?
            ; $end:literal
        } -> $columns:ty
    ) => {
        $(#[$doc])*
        pub(crate) struct $name<$life> {
            $(pub(crate) $field: $rust,)+
            pub(crate) life: std::marker::PhantomData<&$life ()>,
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $columns;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                $(
                    out.push_sql($sql);
                    out.push_bind_param::<$type, _>(&self.$field)?;
                )+
                out.push_sql($end);
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<diesel::PgConnection> for $name<'_> {}
    };
}

pub(crate) use static_query;
