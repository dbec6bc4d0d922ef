//! What must be gone before what: the inverse of the run's series and branches.
//!
//! Of two things made one after the other, the newer goes first. Two that were made in branches side by side do not wait for each
//! other, unless one names the other as its parent. Which keys ran side by side is read from the times in the journal.

use std::collections::HashMap;

use runbook_seeded::mutant;

/// Something to be undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The key of the scope that made it.
    pub step: String,
    /// Place in the journal.
    pub order: u64,
    /// Its ids and names, as others may name it as a parent.
    pub names: Vec<String>,
    /// What must outlive it, by id.
    pub parents: Vec<String>,
    /// A closure: everything of its step waits until it has run.
    pub closure: bool,
}

/// What an item waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The place of the item that must be gone first.
    pub first: usize,
    /// It cannot go at all while that one stands. Otherwise only the order asks for it.
    pub hard: bool,
}

/// When the keys of a run were at work: from and to, in the target's time, by key and by every key above.
#[derive(Debug, Clone, Default)]
pub struct Times {
    spans: HashMap<String, (i64, i64)>,
}

impl Times {
    /// Takes in a stretch of work.
    pub fn add(&mut self, key: &str, from_ms: i64, to_ms: i64) {
        let mut key = key;
        loop {
            let span = self.spans.entry(key.to_owned()).or_insert((from_ms, to_ms));
            *span = (span.0.min(from_ms), span.1.max(to_ms));
            match key.rsplit_once('/') {
                Some((above, _)) => key = above,
                None => return,
            }
        }
    }

    /// Whether two keys belong to branches that were at work at the same time.
    fn side_by_side(&self, one: &str, other: &str) -> bool {
        let Some((one, other)) = fork(one, other) else { return false };
        match (self.spans.get(one), self.spans.get(other)) {
            (Some(a), Some(b)) => a.0 < b.1 && b.0 < a.1,
            _ => false,
        }
    }
}

/// The two keys, each cut one name below what they share; None when one is the other or lies within it.
fn fork<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for (a, b) in one.split('/').zip(other.split('/')) {
        if a != b {
            return Some((&one[..at + a.len()], &other[..at + b.len()]));
        }
        at += a.len() + 1;
    }
    None
}

/// For each item, what must be gone before it.
pub fn edges(items: &[Item], times: &Times) -> Vec<Vec<Edge>> {
    let all = |place: usize, item: &Item| -> Vec<Edge> {
        items
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .filter_map(|(first, other)| wait(item, other, times).map(|hard| Edge { first, hard }))
            .collect()
    };
    items.iter().enumerate().map(|(place, item)| all(place, item)).collect()
}

/// Whether `item` must wait for `other`, and how strictly.
fn wait(item: &Item, other: &Item, times: &Times) -> Option<bool> {
    if names(other, item) {
        return Some(true);
    }
    if names(item, other) {
        return None;
    }
    let within =
        |key: &str, step: &str| key.strip_prefix(step).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match (item.closure, other.closure) {
        (false, true) if within(&item.step, &other.step) => return Some(true),
        (true, false) if within(&other.step, &item.step) => return None,
        _ => {}
    }
    let newer = if mutant!("undo-in-creation-order") { other.order < item.order } else { other.order > item.order };
    (newer && !times.side_by_side(&item.step, &other.step)).then_some(false)
}

/// Whether one names the other as a parent.
fn names(child: &Item, parent: &Item) -> bool {
    child.parents.iter().any(|id| parent.names.contains(id)) && !mutant!("undo-ignores-parents")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(step: &str, order: u64, name: &str, parents: &[&str]) -> Item {
        Item {
            step: step.to_owned(),
            order,
            names: vec![name.to_owned()],
            parents: parents.iter().map(|&p| p.to_owned()).collect(),
            closure: false,
        }
    }

    fn firsts(edges: &[Edge]) -> Vec<usize> {
        edges.iter().map(|edge| edge.first).collect()
    }

    #[test]
    fn newest_first_in_series() {
        let items = [item("a", 1, "vpc", &[]), item("a", 2, "subnet", &["vpc"]), item("b", 3, "role", &[])];
        let edges = edges(&items, &Times::default());
        assert_eq!(firsts(&edges[0]), [1, 2]);
        assert!(edges[0][0].hard && !edges[0][1].hard);
        assert_eq!(firsts(&edges[1]), [2]);
        assert_eq!(firsts(&edges[2]), [0; 0]);
    }

    #[test]
    fn branches_side_by_side_do_not_wait_for_each_other() {
        let mut times = Times::default();
        times.add("one/vpc", 0, 10);
        times.add("two/vpc", 5, 12);
        times.add("after", 12, 20);
        let items = [
            item("one/vpc", 1, "vpc1", &[]),
            item("two/vpc", 2, "vpc2", &[]),
            item("after", 3, "peering", &["vpc1", "vpc2"]),
        ];
        let edges = edges(&items, &times);
        assert_eq!(firsts(&edges[0]), [2]);
        assert_eq!(firsts(&edges[1]), [2]);
        assert_eq!(firsts(&edges[2]), [0; 0]);
    }

    #[test]
    fn a_parent_in_another_branch_waits() {
        let mut times = Times::default();
        times.add("one/vpc", 0, 10);
        times.add("two/route", 5, 12);
        let items = [item("one/vpc", 1, "vpc1", &[]), item("two/route", 2, "route", &["vpc1"])];
        assert_eq!(edges(&items, &times)[0], [Edge { first: 1, hard: true }]);
    }

    #[test]
    fn a_child_of_an_older_entry_is_no_circle() {
        let items = [item("a", 1, "child", &["role"]), item("a", 2, "role", &[])];
        let edges = edges(&items, &Times::default());
        assert_eq!(firsts(&edges[0]), [0; 0]);
        assert_eq!(edges[1], [Edge { first: 0, hard: true }]);
    }

    #[test]
    fn a_closure_runs_before_anything_of_its_step() {
        let closure = Item { closure: true, ..item("a/b", 9, "", &[]) };
        let items = [item("a/b", 1, "x", &[]), item("a/b/c", 2, "y", &[]), item("a/bc", 3, "z", &[]), closure];
        let edges = edges(&items, &Times::default());
        assert!(edges[0].contains(&Edge { first: 3, hard: true }));
        assert!(edges[1].contains(&Edge { first: 3, hard: true }));
        assert!(!edges[2].contains(&Edge { first: 3, hard: true }));
        assert_eq!(firsts(&edges[3]), [0; 0]);
    }
}
