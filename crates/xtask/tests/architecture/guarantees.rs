//! `docs/guarantees.md` names tests: each of them is there.

use std::fs;
use std::path::Path;

/// The tests that the text names, in backticks, by the last part of their paths. A path that ends in `::` names a
/// module, and one without a lower-case sentence is none.
pub(crate) fn tests_named(markdown: &str) -> Vec<String> {
    let quoted = markdown.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|text| text.contains("::") && !text.contains(char::is_uppercase));
    let names = paths.filter_map(|path| path.rsplit("::").next());
    names.filter(|name| name.contains('_')).map(str::to_owned).collect()
}

/// Those of `names` that no function of the sources has, and no case of a contract.
pub(crate) fn missing(names: &[String], sources: &str) -> Vec<String> {
    let is_there = |name: &str| {
        [format!("fn {name}("), format!("{name};"), format!("{name},")]
            .iter()
            .any(|form| sources.contains(form))
    };
    names.iter().filter(|name| !is_there(name)).cloned().collect()
}

/// All Rust sources below the directory.
pub(crate) fn sources_below(directory: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            text.push_str(&sources_below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(text)
}

#[test]
fn a_test_that_is_not_there_is_found() {
    let named = tests_named(
        "- **x**\n  - `a: b::c_is_d`, `…::e_is_f` and `contract::module::`, not `A::b_c` or `x_y`\n",
    );
    assert_eq!(named, ["c_is_d", "e_is_f"]);
    assert_eq!(missing(&named, "fn c_is_d() {}"), ["e_is_f"]);
    assert_eq!(missing(&named, "fn c_is_d() {}\n  e_is_f;"), Vec::<String>::new());
}
