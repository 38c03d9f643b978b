//! Settings.

use crate::fixture::Fixture;
use crate::samples::AWKWARD_TEXTS;
use crate::wait::at_once;

pub async fn a_setting_that_was_never_stored_is_absent(s: &Fixture) {
    assert_eq!(s.settings.find("secret").await.unwrap(), None);
    s.settings.find_or_insert("other", vec![1]).await.unwrap();
    assert_eq!(s.settings.find("secret").await.unwrap(), None);
}

pub async fn a_setting_is_stored_once_and_then_found(s: &Fixture) {
    assert_eq!(s.settings.find_or_insert("secret", vec![1, 2]).await.unwrap(), [1, 2]);
    assert_eq!(s.settings.find_or_insert("secret", vec![3, 4]).await.unwrap(), [1, 2]);
    assert_eq!(s.settings.find("secret").await.unwrap(), Some(vec![1, 2]));
}

pub async fn settings_are_kept_apart_by_the_letters_of_their_names(s: &Fixture) {
    let names = AWKWARD_TEXTS.iter().copied().chain(["secret", "Secret", "secret "]);
    for (number, name) in names.clone().enumerate() {
        let value = number.to_string().into_bytes();
        assert_eq!(s.settings.find_or_insert(name, value.clone()).await.unwrap(), value);
    }
    for (number, name) in names.enumerate() {
        assert_eq!(s.settings.find(name).await.unwrap(), Some(number.to_string().into_bytes()));
    }
}

pub async fn a_setting_may_be_any_bytes_or_none(s: &Fixture) {
    for (name, value) in [("all", (0..=255).collect()), ("none", vec![]), ("large", vec![0; 100_000])] {
        assert_eq!(s.settings.find_or_insert(name, value.clone()).await.unwrap(), value);
        assert_eq!(s.settings.find(name).await.unwrap(), Some(value));
    }
}

pub async fn all_who_store_a_setting_at_once_get_the_same_value(s: &Fixture) {
    let store = |number: u8| {
        let s = s.clone();
        async move { s.settings.find_or_insert("secret", vec![number]).await.unwrap() }
    };
    let answers = at_once((0..64).map(store)).await;
    let stored = s.settings.find("secret").await.unwrap().unwrap();
    assert!(
        answers.iter().all(|answer| *answer == stored),
        "{stored:?} is stored, and {answers:?} were answered"
    );
}
