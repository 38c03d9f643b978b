//! The one table of everything that a request can be refused for.

use actix_web::http::StatusCode;

/// Defines the codes, with the status, the title and the advice of each.
macro_rules! problem_codes {
    ($($variant:ident = $code:literal, $status:ident, $title:literal, $help:literal;)*) => {
        /// A kind of refusal: `/problems/<code>` is its page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Code { $(
            #[doc = $title]
            $variant,
        )* }

        impl Code {
            /// Every code, in the order of the table.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it stands in answers.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The status that goes with it.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }

            /// What is wrong, in a few words.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What to do about it.
            pub(crate) fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),* }
            }
        }
    };
}

problem_codes! {
    InvalidJson = "invalid-json", BAD_REQUEST, "The body is not JSON",
        "The request's body could not be read as JSON in UTF-8. `detail` says where reading stopped. Send well-formed JSON (RFC 8259).";
    BodyIncomplete = "body-incomplete", BAD_REQUEST, "The body did not arrive whole",
        "The connection ended before as many bytes had come as Content-Length says, or a chunk has a wrong form (RFC 9112, section 7.1). Nothing was changed; send it again.";
    InvalidQuery = "invalid-query", BAD_REQUEST, "A query parameter cannot be read",
        "A query parameter is unknown, occurs too often, or has a value of the wrong form. `errors` names each. The API's documentation at /docs lists every parameter of the route.";
    InvalidCursor = "invalid-cursor", BAD_REQUEST, "The cursor does not fit this list",
        "A cursor is only good for the list that gave it: same route, same tenant, same filters, same order. Start again without a cursor.";
    InvalidHeader = "invalid-header", BAD_REQUEST, "A header cannot be read",
        "A header of the request has a value of the wrong form. `detail` names it.";
    InvalidPath = "invalid-path", BAD_REQUEST, "The path cannot be read",
        "A percent sign in the path must be followed by two hexadecimal digits (RFC 3986, section 2.1); a percent sign itself is written %25.";
    TenantRequired = "tenant-required", BAD_REQUEST, "An administrator must name a tenant here",
        "An administrator's key belongs to no tenant. Say which one is meant with the header `Tenantry-Tenant: <tenant_number or tenant_id>`.";
    KeyMissing = "key-missing", UNAUTHORIZED, "An access key is required",
        "Send the header `Authorization: Bearer <key>`. An administrator makes a tenant's keys with POST /api/v1/tenants/{tenant}/keys; the first administrator's key stands in the file admin.key in the server's data directory.";
    KeyMalformed = "key-malformed", UNAUTHORIZED, "That is not an access key",
        "Keys begin with tnt_ or tna_ and end in a checksum, which is wrong here: the key was cut off or mistyped. Copy it again, whole.";
    KeyUnknown = "key-unknown", UNAUTHORIZED, "The access key is not valid",
        "The key is not known here: it was revoked, its tenant was deleted, or it is another installation's. Ask an administrator for a new one.";
    KeyExpired = "key-expired", UNAUTHORIZED, "The access key has expired",
        "The key's `expires_at` has passed. Ask an administrator for a new one.";
    ScopeMissing = "scope-missing", FORBIDDEN, "The access key does not allow this",
        "`detail` names the scope that is needed. A key's scopes are set when it is made; make one that has the scope.";
    TenantSuspended = "tenant-suspended", FORBIDDEN, "The tenant is suspended",
        "An administrator has suspended this tenant; its data is kept. POST /api/v1/tenants/{tenant}/activate lets its keys in again.";
    RouteNotFound = "route-not-found", NOT_FOUND, "There is nothing at this path",
        "The path is not one of this API's. /docs lists them all.";
    TenantNotFound = "tenant-not-found", NOT_FOUND, "There is no such tenant",
        "No tenant has that number or id. GET /api/v1/tenants lists them.";
    AccessKeyNotFound = "access-key-not-found", NOT_FOUND, "There is no such access key",
        "The tenant has no key of that id. GET /api/v1/tenants/{tenant}/keys lists them.";
    EventNotFound = "event-not-found", NOT_FOUND, "There is no such event",
        "The tenant has no event of that id.";
    KeyValueNotFound = "key-value-not-found", NOT_FOUND, "There is no such key",
        "The tenant has no key-value under that key: it was never set, was deleted, or its time has ended.";
    PlanNotFound = "plan-not-found", NOT_FOUND, "There is no such plan",
        "The tenant's catalog has no plan of that id, or had none at that moment. GET /api/v1/search finds plans.";
    FeedNotFound = "feed-not-found", NOT_FOUND, "There is no such feed",
        "The tenant has no feed of that id. GET /api/v1/catalog/feeds lists them.";
    FeedRunNotFound = "feed-run-not-found", NOT_FOUND, "There is no such run",
        "The feed has no run of that id: the oldest leave after a while. GET /api/v1/catalog/feeds/{feed}/runs lists them.";
    ProblemNotFound = "problem-not-found", NOT_FOUND, "There is no such problem",
        "GET /problems lists every problem that this API answers.";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not know this method",
        "The header `Allow` lists the methods that this path knows.";
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "The answer's type is not among those accepted",
        "This route answers application/json (and problems as application/problem+json). Send an `Accept` that includes it, or none.";
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The body took too long",
        "The whole body must arrive within the configured time (http.body_timeout_seconds). Nothing was changed; send it again.";
    TenantDeleting = "tenant-deleting", CONFLICT, "The tenant is being deleted",
        "A tenant that is being deleted cannot be changed any more.";
    Contended = "contended", CONFLICT, "Others changed it at the same time, again and again",
        "Nothing was changed. Read it again and repeat the change, with If-Match if it builds on what was read.";
    TooManyFeeds = "too-many-feeds", CONFLICT, "The tenant has as many feeds as it may have",
        "`detail` says how many, which the server's configuration sets. Delete one that is not needed, or ask an administrator for a higher limit.";
    FeedRunNotHeld = "feed-run-not-held", CONFLICT, "The run is not held",
        "Only a run whose `state` is `held` can be confirmed. It may have been confirmed already, or a later run has taken its place. GET /api/v1/catalog/feeds/{feed}/runs shows how things stand.";
    NotIncrementable = "not-incrementable", CONFLICT, "The value cannot be incremented",
        "Only a decimal integer of 64 bits can be incremented, and the sum must fit one too. `detail` says which of the two it was.";
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "The precondition does not hold",
        "What stands now is not what If-Match or If-None-Match asks for: somebody changed it, or it is there already. Nothing was changed. Read it again and decide anew.";
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large",
        "`detail` says the limit, which the server's configuration sets. Nothing was changed.";
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body's type is not supported",
        "`detail` says which Content-Type this route reads.";
    ValidationFailed = "validation-failed", UNPROCESSABLE_ENTITY, "The request breaks a rule",
        "`errors` lists each fault: `pointer` (RFC 6901) is its place, `code` the rule. Nothing was changed.";
    Internal = "internal-error", INTERNAL_SERVER_ERROR, "The server failed",
        "This is not the request's fault. The server's log has the cause under this answer's `instance`.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The server cannot do this at the moment",
        "It is busy, or something that it needs is out of reach. Nothing was acknowledged; try again after `Retry-After` seconds. Give an event your own `id`, and repeating it is harmless.";
    StorageFull = "storage-full", INSUFFICIENT_STORAGE, "The server's storage is full",
        "Nothing was changed; reads go on. An administrator must make room.";
}

impl Code {
    /// The code that is written so.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}
