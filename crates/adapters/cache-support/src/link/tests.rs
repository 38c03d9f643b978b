use super::*;

fn up() -> Link<&'static str> {
    let link = Link::new();
    let touch = link.joining("first");
    assert!(link.up(&touch, 5));
    link
}

#[test]
fn while_it_is_down_nothing_is_read_or_changed() {
    let link = Link::<&str>::new();
    assert!(link.to_read().is_none() && link.to_change().is_none() && !link.is_up());
}

#[test]
fn while_it_is_joining_changes_are_sent_and_nothing_is_read() {
    let link = Link::new();
    let _ = link.joining("first");
    assert!(link.to_read().is_none() && !link.is_up());
    assert_eq!(link.to_change().map(|touch| touch.connection), Some("first"));
}

#[test]
fn a_change_that_is_lost_while_it_is_joining_keeps_it_from_coming_up() {
    let link = Link::new();
    let touch = link.joining("first");
    link.change_lost();
    assert!(!link.up(&touch, 5));
    assert!(!link.is_up() && link.to_change().is_none());
}

#[test]
fn a_read_that_failed_before_it_came_back_does_not_count() {
    let link = up();
    let old = link.to_read().unwrap();
    link.down();
    let touch = link.joining("second");
    assert!(link.up(&touch, 6));
    link.read_failed(&old);
    assert!(link.is_up());
    link.read_failed(&link.to_read().unwrap());
    assert!(!link.is_up());
}

#[test]
fn a_change_that_was_lost_before_it_came_back_counts() {
    let link = up();
    link.change_lost();
    assert!(!link.is_up());
}

#[test]
fn a_generation_never_goes_back() {
    let link = up();
    link.met(7);
    link.met(6);
    assert_eq!(link.to_read().unwrap().generation, 7);
}
