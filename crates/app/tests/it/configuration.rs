//! The configuration: which keys there are, which layer wins, and what is refused in which words.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tenantry::config::{ConfigLoader, DEFAULTS, Source, StorageOptions, variable_of};
use tenantry_http::HttpOptions;
use tenantry_storage_postgres::{PostgresOptions, PostgresUrl};
use tenantry_storage_sqlite::SqliteOptions;

use crate::process::{command, finish, tenantry};

fn file(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.toml");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn variables(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn problems_of(loader: ConfigLoader) -> Vec<String> {
    loader.load().expect_err("the configuration is refused").iter().map(ToString::to_string).collect()
}

fn problems_of_file(text: &str) -> Vec<String> {
    let (_dir, path) = file(text);
    let shown = path.display().to_string();
    problems_of(ConfigLoader::new().file(&path))
        .iter()
        .map(|problem| problem.replace(&shown, "FILE"))
        .collect()
}

#[test]
fn every_key_of_the_file_of_defaults_is_known_and_has_a_comment() {
    let config = ConfigLoader::new().load().unwrap();
    assert!(config.explain().iter().all(|value| value.source == Source::Default));

    let (mut before, mut keys) = ("", 0);
    for line in DEFAULTS.lines() {
        if line.contains('=') && !line.starts_with('#') {
            keys += 1;
            assert!(before.starts_with('#'), "{line} has no comment above it");
        }
        before = line;
    }
    assert_eq!(keys, config.explain().len());
}

#[test]
fn the_defaults_are_those_of_the_crates_that_they_are_for() {
    let config = ConfigLoader::new().load().unwrap();
    assert_eq!(format!("{:?}", config.http_options()), format!("{:?}", HttpOptions::default()));
    let sqlite = SqliteOptions::new("./tenantry-data/tenantry.db");
    assert_eq!(config.storage_options(), StorageOptions::Sqlite(sqlite));
    let url = "postgres://ada@db.example/shop";
    let config = ConfigLoader::new().set("database_url", url, Source::Default).load().unwrap();
    let postgres = PostgresOptions::new(PostgresUrl::parse(url).unwrap());
    assert_eq!(config.storage_options(), StorageOptions::Postgres(Box::new(postgres)));
}

#[test]
fn a_higher_layer_wins_and_is_named_as_the_source() {
    let (_dir, path) = file("listen = '127.0.0.1:1'\n[http]\nworkers = 1\nmax_connections = 11\n");
    let config = ConfigLoader::new()
        .file(&path)
        .environment(variables(&[("TENANTRY_HTTP__WORKERS", "2"), ("TENANTRY_LISTEN", "127.0.0.1:2")]))
        .set("listen", "127.0.0.1:3", Source::Flag("--listen".to_owned()))
        .load()
        .unwrap();
    let settings = config.settings();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!((settings.http.workers, settings.http.max_connections), (2, 11));
    assert_eq!(settings.http.keep_alive_seconds, 75);

    let source_of = |key| &config.explain().iter().find(|value| value.key == key).unwrap().source;
    assert_eq!(source_of("listen").to_string(), "the flag --listen");
    assert_eq!(source_of("http.workers").to_string(), "the variable TENANTRY_HTTP__WORKERS");
    assert_eq!(*source_of("http.max_connections"), Source::File { path, line: 4 });
    assert_eq!(*source_of("http.keep_alive_seconds"), Source::Default);
}

#[test]
fn every_key_can_be_set_in_the_environment() {
    let defaults = ConfigLoader::new().load().unwrap();
    let unquoted = |value: &str| value.trim_matches(['"', '[', ']']).to_owned();
    let all = defaults
        .explain()
        .iter()
        .map(|value| (OsString::from(variable_of(value.key)), OsString::from(unquoted(&value.value))));
    let config = ConfigLoader::new().environment(all.collect::<Vec<_>>()).load().unwrap();
    assert_eq!(config.settings(), defaults.settings());
    assert!(config.explain().iter().all(|value| value.source == Source::Variable(variable_of(value.key))));
}

#[test]
fn a_list_is_written_with_brackets_in_a_file_and_with_commas_in_a_variable() {
    let (_dir, path) = file("[http]\ncors_origins = ['https://a.example', 'https://b.example']\n");
    let from_file = ConfigLoader::new().file(&path).load().unwrap();
    let variable = [("TENANTRY_HTTP__CORS_ORIGINS", "https://a.example, https://b.example")];
    let from_variable = ConfigLoader::new().environment(variables(&variable)).load().unwrap();
    assert_eq!(from_file.settings().http.cors_origins, ["https://a.example", "https://b.example"]);
    assert_eq!(from_file.settings(), from_variable.settings());
}

#[test]
fn an_unknown_key_in_a_file_is_refused_with_its_line_and_the_nearest_key() {
    assert_eq!(
        problems_of_file("[http]\nworkers = 1\nkeep_alive_secs = 5\n\n[metrics]\non = true\n"),
        [
            "http.keep_alive_secs is no key (FILE, line 3); did you mean http.keep_alive_seconds?",
            "metrics.on is no key (FILE, line 6)",
        ]
    );
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_variable() {
    let loader = ConfigLoader::new().environment(variables(&[("TENANTRY_HTTP_WORKERS", "1")]));
    assert_eq!(
        problems_of(loader),
        ["TENANTRY_HTTP_WORKERS is no key's variable; did you mean TENANTRY_HTTP__WORKERS?"]
    );
}

#[test]
fn a_wrong_type_or_a_value_out_of_range_is_named_with_key_and_source_and_all_at_once() {
    let text = "listen = 8080\ndemo = 'yes'\n[http]\nworkers = '2'\nmax_connections = 0\ncors_origins = ['x']\n\
                keep_alive_seconds = 1.5\n";
    let mut problems = problems_of_file(text);
    problems.sort();
    assert_eq!(
        problems,
        [
            "demo must be true or false, not a string (FILE, line 2)",
            "http.cors_origins must list origins like https://app.example.com (no path, no slash at the end), \
             or \"*\" (FILE, line 6)",
            "http.keep_alive_seconds must be a whole number, not a number with a fraction (FILE, line 7)",
            "http.max_connections is 0, but must be 1 to 1000000 (FILE, line 5)",
            "http.workers must be a whole number, not a string (FILE, line 4)",
            "listen must be a string, not a whole number (FILE, line 1)",
        ]
    );
    let of_variables = ConfigLoader::new().environment(variables(&[
        ("TENANTRY_DEMO", "1"),
        ("TENANTRY_HTTP__WORKERS", "many"),
        ("TENANTRY_LOG__FORMAT", "xml"),
    ]));
    assert_eq!(
        problems_of(of_variables),
        [
            "demo must be true or false, not \"1\" (the variable TENANTRY_DEMO)",
            "http.workers must be a whole number, not \"many\" (the variable TENANTRY_HTTP__WORKERS)",
            "log.format must be \"text\" or \"json\" (the variable TENANTRY_LOG__FORMAT)",
        ]
    );
}

#[test]
fn a_limit_that_storage_cannot_hold_is_refused() {
    let loader = ConfigLoader::new().environment(variables(&[
        ("TENANTRY_SQLITE__MAX_QUEUED_BYTES", "1048576"),
        ("TENANTRY_LIMITS__MAX_BATCH_BODY_BYTES", "1048577"),
    ]));
    let problems = problems_of(loader);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("limits.max_batch_body_bytes is 1048577, but must be at most"),
        "{problems:?}"
    );
}

#[test]
fn a_file_that_is_missing_or_is_not_toml_is_an_error() {
    let missing = problems_of(ConfigLoader::new().file(Path::new("/nowhere/own.toml")));
    assert!(
        missing[0].starts_with("the configuration file /nowhere/own.toml cannot be read: "),
        "{missing:?}"
    );
    let broken = problems_of_file("listen = '127.0.0.1:1'\nlog = [\n");
    assert!(broken[0].contains("FILE, line ") && broken[0].contains("is not TOML"), "{broken:?}");
}

#[test]
fn a_database_url_with_a_password_is_never_repeated() {
    let url = "postgres://tenantry:hunter2@db/tenantry";
    for loader in [
        ConfigLoader::new().set("database_url", url, Source::Flag("--database-url".to_owned())),
        ConfigLoader::new().environment(variables(&[("TENANTRY_DATABASE_URL", url)])),
    ] {
        let shown = format!("{loader:?}");
        let config = loader.load().unwrap();
        let explained = config.explain().iter().find(|value| value.key == "database_url").unwrap();
        assert_eq!(explained.value, "\"postgres://tenantry:•••@db/tenantry\"");
        assert!(!format!("{shown} {config:?}").contains("hunter2"), "{shown} {config:?}");
    }
    for wrong in ["mysql://tenantry:hunter2@db/tenantry", "postgres://tenantry:hunter2@@db/tenantry"] {
        let problems = problems_of(ConfigLoader::new().set("database_url", wrong, Source::Default));
        assert!(
            problems[0].starts_with("database_url must ") && !problems[0].contains("hunter2"),
            "{problems:?}"
        );
    }
}

#[test]
fn a_shared_caches_url_with_a_password_is_never_repeated() {
    for (key, url, shown) in [
        ("cache.redis_url", "redis://ada:hunter2@cache:6379/1", "\"redis://cache:6379/1\""),
        ("cache.memcached_url", "memcached://ada:hunter2@a:1,b:2", "\"memcached://a:1,b:2\""),
    ] {
        let set = |loader: ConfigLoader| loader.set(key, url, Source::Default);
        let config = set(ConfigLoader::new().set("database_url", "postgres://db/tenantry", Source::Default));
        let loader = format!("{config:?}");
        let config = config.load().unwrap();
        let explained = config.explain().iter().find(|value| value.key == key).unwrap();
        assert_eq!(explained.value, shown);
        assert!(!format!("{loader} {config:?}").contains("hunter2"), "{loader} {config:?}");
        let refused = problems_of(set(ConfigLoader::new()));
        assert!(refused[0].starts_with(&format!("{key} is set, but the database is SQLite")), "{refused:?}");
        let wrong = problems_of(ConfigLoader::new().set(key, "ada:hunter2@cache", Source::Default));
        assert!(wrong[0].starts_with(&format!("{key} must be ")), "{wrong:?}");
        assert!(!format!("{refused:?} {wrong:?}").contains("hunter2"), "{refused:?} {wrong:?}");
    }
}

#[test]
fn nodes_share_one_cache_or_none() {
    let loader = ConfigLoader::new()
        .set("database_url", "postgres://db/tenantry", Source::Default)
        .set("cache.redis_url", "redis://cache", Source::Default)
        .set("cache.memcached_url", "memcached://cache", Source::Default);
    assert_eq!(
        problems_of(loader),
        ["cache.redis_url and cache.memcached_url are both set, but nodes share one cache"]
    );
}

#[test]
fn a_file_of_authorities_is_for_a_redis_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let authority = rcgen::generate_simple_self_signed(vec!["cache".to_owned()]).unwrap();
    fs::write(&file, authority.cert.pem()).unwrap();
    let with = |url: &str, file: &Path| {
        ConfigLoader::new()
            .set("database_url", "postgres://db/tenantry", Source::Default)
            .set("cache.redis_url", url, Source::Default)
            .set("cache.redis_ca_file", file.to_str().unwrap(), Source::Default)
    };
    let config = with("rediss://cache", &file).load().unwrap();
    assert!(config.settings().cache.redis_options().unwrap().ca.is_some());
    let problems = problems_of(with("redis://cache", &file));
    assert!(problems[0].contains("cache.redis_url is not over TLS"), "{problems:?}");
    let problems = problems_of(with("rediss://cache", &dir.path().join("missing.pem")));
    assert!(
        problems[0].starts_with("cache.redis_ca_file must be a file of certificates in PEM")
            && problems[0].contains("missing.pem"),
        "{problems:?}"
    );
}

#[test]
fn a_namespace_is_a_short_plain_word() {
    for (name, is_good) in [("tenantry-2.b_C", true), ("", false), ("a b", false), (&"x".repeat(33), false)] {
        let loaded = ConfigLoader::new().set("cache.namespace", name, Source::Default).load();
        assert_eq!(loaded.is_ok(), is_good, "{name:?}");
    }
}

#[test]
fn the_program_ends_with_2_where_its_configuration_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let arguments = |more: &[&str]| {
        let mut all = vec!["--data-dir".to_owned(), data_dir.to_str().unwrap().to_owned()];
        all.extend(more.iter().map(|argument| (*argument).to_owned()));
        all
    };
    for more in [&["serve", "--listen", "here"][..], &["migrate"], &["check"]] {
        let ended = finish(command(arguments(more)).env("TENANTRY_LISTEN_", "x"));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let said = if more == ["check"] { &ended.stdout } else { &ended.stderr };
        assert!(
            said.contains("TENANTRY_LISTEN_ is no key's variable; did you mean TENANTRY_LISTEN?"),
            "{said}"
        );
    }
    let ended = finish(command(arguments(&["check"])).env("TENANTRY_CONFIG", "/nowhere/own.toml"));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stdout.contains("/nowhere/own.toml"), "{ended:?}");
    assert!(!data_dir.exists(), "nothing was begun");
    assert_eq!(tenantry(["serve", "--no-such-flag"]).code, Some(2));
}
