//! The critical path: the chain of steps that determines how long a run takes.
//!
//! A run is series-parallel: what stands in one scope runs one after the other, branches of `parallel` and `each` run side by side.
//! Steps whose keys share a branch name lie in that branch. Of branches that run side by side the one that ends last counts.

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

/// The path, first step first.
pub fn path(spans: &[Span]) -> Vec<Link> {
    let mut links = Vec::new();
    within("", spans, &mut links);
    links
}

/// One thing in a scope: a step, or a branch with all its steps.
struct Item<'a> {
    key: &'a str,
    from_ms: i64,
    to_ms: i64,
    step: bool,
}

fn within(scope: &str, spans: &[Span], links: &mut Vec<Link>) {
    let mut items: Vec<Item<'_>> = Vec::new();
    for span in spans {
        let Some(rest) = inside(scope, &span.step) else { continue };
        let end = span.step.len() - rest.len() + rest.find('/').unwrap_or(rest.len());
        let key = &span.step[..end];
        match items.iter_mut().find(|item| item.key == key) {
            Some(item) => {
                item.from_ms = item.from_ms.min(span.from_ms);
                item.to_ms = item.to_ms.max(span.to_ms);
                item.step |= span.step == key;
            }
            None => items.push(Item { key, from_ms: span.from_ms, to_ms: span.to_ms, step: span.step == key }),
        }
    }
    items.sort_by_key(|item| (item.from_ms, item.to_ms));
    let mut at = 0;
    while at < items.len() {
        // Branches side by side: as long as the next one begins before all of them have ended.
        let mut end = items[at].to_ms;
        let mut last = at;
        let mut next = at + 1;
        while next < items.len() && items[next].from_ms < end {
            if items[next].to_ms > items[last].to_ms {
                last = next;
            }
            end = end.max(items[next].to_ms);
            next += 1;
        }
        let item = &items[last];
        let before = links.len();
        within(item.key, spans, links);
        if links.len() == before && item.step {
            links.push(Link { step: item.key.to_owned(), from_ms: item.from_ms, took_ms: item.to_ms - item.from_ms });
        }
        at = next;
    }
}

/// What of a key lies inside a scope.
fn inside<'a>(scope: &str, key: &'a str) -> Option<&'a str> {
    if scope.is_empty() { Some(key) } else { key.strip_prefix(scope)?.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(step: &str, from: i64, to: i64) -> Span {
        Span { step: step.to_owned(), from_ms: from, to_ms: to, ..Span::default() }
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
        assert_eq!(path.iter().map(|link| link.took_ms).sum::<i64>(), 150);
    }
}
