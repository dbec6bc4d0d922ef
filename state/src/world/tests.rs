//! The stored world.

use serde_json::json;

use super::*;

#[test]
fn documents_come_back_after_closing() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).unwrap();
    assert_eq!(world.load().unwrap(), (0, vec![]));
    let put = |key: &str, n: i64| (key.to_owned(), Some(json!({"n": n})));
    assert_eq!(world.commit(0, &[put("b", 1), put("a", 2)]).unwrap(), Some(1));
    assert_eq!(world.commit(1, &[put("b", 3), ("a".to_owned(), None)]).unwrap(), Some(2));
    drop(world);
    let world = World::open(dir.path()).unwrap();
    assert_eq!(world.load().unwrap(), (2, vec![("b".to_owned(), json!({"n": 3}))]));
    assert_eq!(world.version().unwrap(), 2);
}

#[test]
fn of_two_that_begin_at_the_same_version_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (World::open(dir.path()).unwrap(), World::open(dir.path()).unwrap());
    let change = |key: &str| [(key.to_owned(), Some(json!(1)))];
    assert_eq!(one.commit(0, &change("one")).unwrap(), Some(1));
    assert_eq!(other.commit(0, &change("other")).unwrap(), None);
    assert_eq!(other.load().unwrap().1.len(), 1);
    assert_eq!(other.commit(1, &change("other")).unwrap(), Some(2));
}

#[test]
fn a_world_in_memory_keeps_the_same_rules() {
    let world = World::open_in_memory().unwrap();
    assert_eq!(world.commit(7, &[]).unwrap(), None);
    assert_eq!(world.commit(0, &[]).unwrap(), Some(1));
}
