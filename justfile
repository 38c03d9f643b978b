# Short names for what cargo does; `just --list` shows them. Nothing here is needed to work on Tenantry.

# Arguments reach the command as they were given: one with a space stays one.
set positional-arguments

# Run every test
tests *arguments:
    cargo xtask test "$@"

# Run the tests that need no server
tests-embedded *arguments:
    cargo xtask test --embedded "$@"

# Run a command with servers for tests in its environment
servers *command:
    cargo xtask servers "$@"

# Format every crate
format:
    cargo fmt --all

# Bring the database's schema up to date
migrate *arguments:
    cargo run -- migrate "$@"

# Serve, with the defaults
server *arguments:
    cargo run --release -- serve "$@"

# Any command of the program
run *arguments:
    cargo run -- "$@"

# Measure against the bare server, and write docs/benchmarks.md
bench *arguments:
    cargo xtask bench "$@"

# Kill the server under load, and look for what is lost
drill *arguments:
    cargo xtask drill "$@"

# Everything that continuous integration checks
ci:
    cargo xtask ci

# Write the OpenAPI document
openapi:
    cargo run --quiet -- openapi > docs/openapi.json

# Write the documentation of every crate, and open it
docs:
    cargo doc --workspace --no-deps --open
