//! The plan on one screen: bars, changes, the critical path, what keeps costing, what only a live target can answer.

use std::collections::BTreeMap;

use super::{
    look::{Ink, Look, Mark},
    text::{clock, measure, plural, rough},
};
use crate::plan::digest::{Digest, Span};

/// Steps of the critical path that take less than this part of it are left out.
const SHORT: i64 = 50;

/// Draws a plan. `place`: account and region for the first line.
pub fn draw(digest: &Digest, runbook: &str, place: &str, look: &Look) -> String {
    let changes = plural(digest.effects as u64, "change");
    let steps = plural(digest.steps as u64, "step");
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    let head =
        format!("{} would make {changes} in {steps}{place}. Rehearsed; nothing was called.", look.shown(runbook));
    let mut out = format!("{}\n\n{}\n", look.ink(Ink::Bold, &head), bars(digest, look));
    let mut fact = |name: &str, text: String| {
        if !text.is_empty() {
            out.push_str(&look.named(name, 15, &text));
        }
    };
    fact("changes", totals(digest, look));
    fact("critical path", critical(digest, look));
    fact("longest waits", waits(digest, look));
    let costs: Vec<String> =
        digest.costs.iter().map(|(what, count)| plural(*count as u64, &look.shown(what))).collect();
    fact("keeps costing", look.facts(&costs));
    if !digest.unrehearsed.is_empty() {
        let checks: Vec<String> = digest.unrehearsed.iter().map(|step| look.path(step)).collect();
        fact("only live", format!("{} ({})", plural(checks.len() as u64, "check"), checks.join(", ")));
    }
    out
}

fn bars(digest: &Digest, look: &Look) -> String {
    let width = look.width - 1;
    let labels =
        digest.units.iter().map(|unit| measure(&look.path(&unit.step))).max().unwrap_or(0).clamp(8, width * 3 / 10);
    let bar = (width * 3 / 10).max(12);
    let total = clock(digest.took_ms);
    let line = look.mark(Mark::Bar).repeat((labels + bar + 2).saturating_sub(6 + measure(&total)).max(4));
    let mut out = format!("  0:00 {line} {total}\n");
    for unit in &digest.units {
        let text = made(unit, look);
        let row =
            format!("  {}  {}  ", look.pad(&look.path(&unit.step), labels), strip(unit, digest.took_ms, bar, look));
        let rest = width.saturating_sub(measure(&row));
        out += &format!("{}\n", format!("{row}{}", look.fit(&text, rest)).trim_end());
    }
    out
}

fn strip(span: &Span, total_ms: i64, width: usize, look: &Look) -> String {
    let column = |ms: i64| {
        let at = ms.max(0) as f64 / total_ms.max(1) as f64 * width as f64;
        (at.round() as usize).min(width)
    };
    let from = column(span.from_ms).min(width - 1);
    let to = column(span.to_ms).max(from + 1);
    [" ".repeat(from), look.mark(Mark::Bar).repeat(to - from), " ".repeat(width - to)].concat()
}

/// `+ vpc, 4 subnets, nat gateway ~ 2 modify vpc attribute`.
fn made(unit: &Span, look: &Look) -> String {
    listed(unit.changes.iter().map(|((sign, what), count)| (*sign, what.as_str(), *count)), look)
}

fn totals(digest: &Digest, look: &Look) -> String {
    let mut sums: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for unit in &digest.units {
        for ((sign, what), count) in &unit.changes {
            *sums.entry((sign, what)).or_default() += count;
        }
    }
    listed(sums.into_iter().map(|((sign, what), count)| (sign, what, count)), look)
}

fn listed<'a>(changes: impl Iterator<Item = (&'a str, &'a str, usize)>, look: &Look) -> String {
    let mut by_sign: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (sign, what, count) in changes {
        let what = look.shown(what);
        let text = match (count, sign) {
            (1, _) => what,
            (count, "+") => plural(count as u64, &what),
            (count, _) => format!("{count}{} {what}", look.mark(Mark::Times)),
        };
        by_sign.entry(sign).or_default().push(text);
    }
    by_sign.iter().map(|(sign, list)| format!("{sign} {}", list.join(", "))).collect::<Vec<_>>().join("  ")
}

fn critical(digest: &Digest, look: &Look) -> String {
    let long: Vec<String> = digest
        .critical
        .iter()
        .filter(|link| link.took_ms * SHORT >= digest.took_ms)
        .map(|link| format!("{} {}", look.path(&link.step), clock(link.took_ms)))
        .collect();
    if long.is_empty() {
        String::new()
    } else {
        format!("{}: {}", clock(digest.took_ms), long.join(look.mark(Mark::Gives)))
    }
}

fn waits(digest: &Digest, look: &Look) -> String {
    let mut waits: Vec<_> = digest.waits.iter().filter(|wait| wait.usual_ms >= 60_000).collect();
    waits.sort_by_key(|wait| std::cmp::Reverse(wait.usual_ms));
    let longest = waits.iter().take(4).map(|wait| format!("{} {}", look.path(&wait.step), rough(wait.usual_ms)));
    look.facts(&longest.collect::<Vec<_>>())
}
