//! Rules that several kinds of text share.

use validator::ValidationError;

/// Text with U+0000 cannot be stored by every engine, so none takes it.
pub(crate) fn no_nul(text: &str) -> Result<(), ValidationError> {
    if text.as_bytes().contains(&0) {
        return Err(ValidationError::new("nul").with_message("must not contain the character U+0000".into()));
    }
    Ok(())
}

/// Defines a text type whose value was checked when it was made.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps text that was checked before it was stored. Only for storage adapters.
            #[must_use]
            pub fn from_stored(text: String) -> Self {
                Self(text.into_boxed_str())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_type;
