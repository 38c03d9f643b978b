//! Statements whose text never changes, for what is written often.
//!
//! Diesel prepares an `UPDATE` or an upsert of its query language anew each time, because it cannot know
//! that its text stays the same (`unsafe_to_cache_prepared`). These are prepared once a connection.
//!
//! Its `first` and `limit` are prepared once, but by SQLite anew each time: the limit becomes a parameter,
//! and SQLite looks at a limit's value to plan. So what is read often says `get_result`, or takes what it
//! needs from `load_iter`, which hands rows out one by one.

/// Defines a statement as pieces of SQL, each followed by the value that stands behind it.
macro_rules! static_query {
    (
        $(#[$doc:meta])*
        $name:ident<$life:lifetime> {
            $($sql:literal $field:ident: $rust:ty as $type:ty),+ $(,)?
            ; $end:literal
        }
    ) => {
        $(#[$doc])*
        pub(crate) struct $name<$life> {
            $(pub(crate) $field: $rust,)+
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                $(
                    out.push_sql($sql);
                    out.push_bind_param::<$type, _>(&self.$field)?;
                )+
                out.push_sql($end);
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<diesel::SqliteConnection> for $name<'_> {}
    };
}

pub(crate) use static_query;
