//! Tests of the storage as a whole that need to reach inside.
