//! The critical path: the chain of steps that determines how long a run takes.
//!
//! It is followed from the end: what ended last, what ended last before that one began, and so on, inside each step as well. The time in
//! which a step does something itself, and none of those inside it, is its own.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use serde::Serialize;

use super::digest::Span;

/// A step of the path with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The step.
    pub step: String,
    /// Milliseconds from the beginning.
    pub from_ms: i64,
    /// Milliseconds.
    pub took_ms: i64,
}

/// What a script does between two steps of a branch, a few reads, takes less than this. Within it a step of the same branch is taken for
/// the one that was waited for, whatever else ended by chance.
const BETWEEN_MS: i64 = 1000;

/// The path, first step first.
pub fn path(spans: &[Span]) -> Vec<Link> {
    let steps: HashSet<&str> = spans.iter().map(|span| span.step.as_str()).collect();
    let mut inside: HashMap<&str, Vec<&Span>> = HashMap::new();
    for span in spans.iter().filter(|span| span.to_ms > span.from_ms) {
        inside.entry(enclosing(&steps, &span.step)).or_default().push(span);
    }
    for spans in inside.values_mut() {
        spans.sort_by_key(|span| (span.to_ms, span.from_ms));
    }
    let end = spans.iter().map(|span| span.to_ms).max().unwrap_or_default();
    let mut links = Vec::new();
    follow("", (0, end), &inside, &mut links);
    links.reverse();
    links
}

/// Follows the path through what lies in a scope, from its end to its beginning.
fn follow(scope: &str, (from_ms, to_ms): (i64, i64), inside: &HashMap<&str, Vec<&Span>>, links: &mut Vec<Link>) {
    let spans = inside.get(scope).map(Vec::as_slice).unwrap_or_default();
    let own = |from_ms: i64, to_ms: i64, links: &mut Vec<Link>| {
        if !scope.is_empty() && to_ms > from_ms {
            links.push(Link { step: scope.to_owned(), from_ms, took_ms: to_ms - from_ms });
        }
    };
    let mut at = to_ms;
    let mut after: Option<&Span> = None;
    while let Some(span) = awaited(spans, at, after) {
        own(span.to_ms, at, links);
        follow(&span.step, (span.from_ms, span.to_ms), inside, links);
        at = span.from_ms;
        after = Some(span);
    }
    own(from_ms, at, links);
}

/// What ended last by then. `spans` are sorted by their ends.
fn awaited<'a>(spans: &[&'a Span], at: i64, after: Option<&Span>) -> Option<&'a Span> {
    let ended = &spans[..spans.partition_point(|span| span.to_ms <= at)];
    let last = *ended.last()?;
    let Some(after) = after else { return Some(last) };
    let by_then = ended.iter().rev().take_while(|span| span.to_ms > at - BETWEEN_MS);
    let nearest = by_then.enumerate().max_by_key(|(i, span)| (common(&span.step, &after.step), Reverse(*i)));
    Some(nearest.map_or(last, |(_, span)| *span))
}

/// The innermost step around a step; empty: none.
fn enclosing<'a>(steps: &HashSet<&str>, step: &'a str) -> &'a str {
    let mut outer = step.rmatch_indices('/').map(|(end, _)| &step[..end]);
    outer.find(|outer| steps.contains(outer)).unwrap_or_default()
}

/// How many segments two keys have in common at their beginning.
fn common(one: &str, other: &str) -> usize {
    one.split('/').zip(other.split('/')).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(step: &str, from: i64, to: i64) -> Span {
        Span { step: step.to_owned(), from_ms: from * 1000, to_ms: to * 1000, ..Span::default() }
    }

    #[test]
    fn the_slower_branch_counts_and_steps_in_one_scope_add_up() {
        let spans = [
            span("preflight", 0, 5),
            span("a/network", 5, 60),
            span("b/network", 5, 50),
            span("a/cluster", 60, 100),
            span("a/cluster/roles", 60, 62),
            span("a/cluster/eks", 62, 100),
            span("b/cluster", 50, 140),
            span("b/cluster/eks", 50, 140),
            span("gate", 140, 150),
        ];
        let path = path(&spans);
        let names: Vec<&str> = path.iter().map(|link| link.step.as_str()).collect();
        assert_eq!(names, ["preflight", "b/network", "b/cluster/eks", "gate"]);
        assert_eq!(path.iter().map(|link| link.took_ms).sum::<i64>(), 150_000);
    }

    #[test]
    fn what_a_step_does_itself_is_its_own() {
        let spans = [span("entry", 0, 160), span("entry/host name", 5, 10), span("record", 160, 190)];
        let links = path(&spans).into_iter().map(|link| (link.step, link.took_ms / 1000)).collect::<Vec<_>>();
        let wanted = [("entry", 5), ("entry/host name", 5), ("entry", 150), ("record", 30)];
        assert_eq!(links, wanted.map(|(step, took)| (step.to_owned(), took)));
    }

    #[test]
    fn what_stands_between_two_branches_of_one_name_counts() {
        let spans = [
            span("a/cluster", 0, 60),
            span("b/cluster", 0, 50),
            span("peering", 60, 100),
            span("a/names", 100, 110),
            span("b/names", 100, 130),
        ];
        let names: Vec<String> = path(&spans).into_iter().map(|link| link.step).collect();
        assert_eq!(names, ["a/cluster", "peering", "b/names"]);
    }

    #[test]
    fn a_step_of_the_same_branch_is_what_was_waited_for() {
        let mut spans = vec![span("a/one", 0, 60), span("b/one", 30, 60), span("a/two", 60, 90)];
        // A read after a/one; b/one ends in the meantime.
        spans[1].to_ms += 200;
        spans[2].from_ms += 250;
        let names: Vec<String> = path(&spans).into_iter().map(|link| link.step).collect();
        assert_eq!(names, ["a/one", "a/two"]);
    }
}
