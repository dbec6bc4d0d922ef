//! The last block: how it ended, outputs, every failure once more, and always the next command.

use runbook_state::record::Ending;
use serde_json::Value;

use super::{
    failure,
    look::{Ink, Look, Mark},
    tally::{End, Totals},
    text::{brief, clock, measure, plural, quoted},
};

/// What the block is about.
pub struct Finale<'a> {
    /// How to draw.
    pub look: &'a Look,
    /// The runbook's name.
    pub runbook: &'a str,
    /// The run's short id.
    pub short: &'a str,
    /// Options that every next command needs, e.g. ` --state /x`; empty or with a leading space.
    pub options: &'a str,
    /// Gives a script file's text.
    pub source: failure::Source<'a>,
    /// Steps that a rehearsal found in all; None when unknown.
    pub steps: Option<usize>,
    /// More lines, e.g. what an undo left; empty or ending with a line break.
    pub details: &'a str,
}

impl Finale<'_> {
    /// The block; empty while there is no end.
    pub fn draw(&self, totals: &Totals) -> String {
        let Some(end) = &totals.end else { return String::new() };
        let look = self.look;
        let name = look.shown(self.runbook);
        let kept = format!("Run {} is kept; nothing is lost.", self.short);
        let at = |step: &str| if step.is_empty() { String::new() } else { format!(" at {}", look.path(step)) };
        let so_far = || format!("{}{}\n", self.failures(end), self.so_far(totals, end));
        let (ink, mark, head, facts, body, next) = match &end.ending {
            Ending::Finished => {
                let head = format!("{name} finished in {}", time(totals, end));
                let facts = look.facts(&[steps(end.steps), effects(end.effects), retries(end.retries)]);
                let next = vec![self.command("show", ""), self.command("verify", ""), self.command("undo", "")];
                let own = self.own(totals, end);
                let gap = if own.is_empty() { "" } else { "\n" };
                let body = format!("{own}{gap}{}", self.outputs(totals));
                (Ink::Good, Mark::Done, head, facts, body, next)
            }
            Ending::Failed { step, .. } => {
                let head = format!("{name} stopped{}. {kept}", at(step));
                let next = vec![self.command("resume", ""), self.command("undo", ""), self.command("show", "")];
                (Ink::Bad, Mark::Failed, head, String::new(), so_far(), next)
            }
            Ending::Parked { why } => {
                // Of a run whose undo was stopped halfway nothing can be kept.
                let halfway = totals.mode == "undo" && !undone_step(why);
                let what = if halfway { format!("the undo of {name}") } else { name };
                let head = format!("{what} is parked ({}). {kept}", look.shown(why));
                let again = (!halfway).then(|| self.command("resume", ""));
                let next = again.into_iter().chain([self.command("undo", "")]).collect();
                (Ink::Warn, Mark::Parked, head, String::new(), so_far(), next)
            }
            Ending::Waiting { step, question } => {
                let head = format!("{name} waits for approval at {}", look.path(step));
                let body = format!("  {}\n\n{}", look.shown(question), so_far());
                let step = format!(" --step {}", quoted(step));
                let no = format!("{step} --no --why '{}'", look.mark(Mark::More));
                let next = vec![self.command("approve", &format!("{step} --yes")), self.command("approve", &no)];
                (Ink::Warn, Mark::ToCome, head, String::new(), body, next)
            }
            Ending::Stopped { step, .. } => {
                let what = if step.is_empty() { "had to stop" } else { "needs a decision" };
                let head = format!("{name} {what}{}. {kept}", at(step));
                let again = if totals.mode == "undo" { "undo" } else { "resume" };
                let mut next = vec![self.command(again, ""), self.command("show", ""), self.command("undo", "")];
                next.truncate(if again == "undo" { 2 } else { 3 });
                (Ink::Bad, Mark::Failed, head, String::new(), so_far(), next)
            }
            Ending::Undone => {
                let (deleted, already, back) = totals.deleted;
                let back = if back > 0 { format!(", {back} put back") } else { String::new() };
                let gone = format!("{deleted} deleted, {already} were gone already{back}, 0 left");
                let head = format!("all that run {} made is gone: {gone}", self.short);
                let next = vec![self.command("show", ""), format!("runbook runs{}", self.options)];
                let gap = if self.details.is_empty() { "" } else { "\n" };
                (Ink::Good, Mark::Done, head, time(totals, end), format!("{}{gap}", self.details), next)
            }
            Ending::Stuck { left, message } => {
                let head = format!("undo waits no longer: {}", look.shown(message));
                let left = format!("in all   {} left, kept in the inventory\n", plural(u64::from(*left), "resource"));
                let body = format!("{}{}{left}\n", self.failures(end), self.details);
                let next =
                    vec![self.command("undo", ""), self.command("undo", " --also ID"), self.command("verify", "")];
                (Ink::Bad, Mark::Failed, head, String::new(), body, next)
            }
        };
        format!("{}\n\n{body}{}", self.headline(ink, mark, &head, &facts), self.next(&next))
    }

    /// `runbook VERB 7f3a`, with what it needs to be pasted as it is.
    pub fn command(&self, verb: &str, more: &str) -> String {
        format!("runbook {verb} {}{more}{}", self.short, self.options)
    }

    fn headline(&self, ink: Ink, mark: Mark, head: &str, facts: &str) -> String {
        let look = self.look;
        let line = format!("{} {}", look.ink(ink, look.mark(mark)), look.ink(Ink::Bold, head));
        let used = 2 + measure(head);
        match facts {
            "" if used <= look.width => line,
            "" => look.named(look.mark(mark), 2, head).trim_end().to_owned(),
            facts if used + 2 + measure(facts) <= look.width => {
                let gap = (look.width - used - measure(facts)).min(4);
                format!("{line}{}{facts}", " ".repeat(gap))
            }
            facts => format!("{line}\n  {facts}"),
        }
    }

    fn outputs(&self, totals: &Totals) -> String {
        let look = self.look;
        let width = totals.outputs.keys().map(|name| measure(&look.shown(name))).max().unwrap_or(0).clamp(10, 30);
        let mut out = String::new();
        for (name, value) in &totals.outputs {
            let command = self.command("output", &format!(" {} --reveal", quoted(name)));
            let text = match texts(value) {
                Some(texts) => {
                    let shown: Vec<String> = texts.iter().map(|text| look.shown(text)).collect();
                    let line = shown.join(", ");
                    // A list that is too long for the line stands one below the other.
                    let below = format!(",\n{}", " ".repeat(width + 4));
                    if width + 4 + measure(&line) <= look.width { line } else { shown.join(&below) }
                }
                None => value_text(value, &command, look),
            };
            out += &format!("  {}  {text}\n", look.pad(&look.shown(name), width));
        }
        if !totals.unrehearsed.is_empty() {
            let checks = plural(totals.unrehearsed.len() as u64, "check");
            out += &format!("  not rehearsed: {checks} that only a live target can answer\n");
        }
        if out.is_empty() { out } else { out + "\n" }
    }

    fn failures(&self, end: &End) -> String {
        let drawn: Vec<String> = end.failures.iter().map(|f| failure::draw(f, self.source, self.look)).collect();
        match (&end.ending, drawn.is_empty()) {
            // A stop without a failure of its own: a lost lease, a broken journal.
            (Ending::Stopped { message, .. } | Ending::Failed { message, .. }, true) => {
                format!("cause    {}\n", self.look.shown(message))
            }
            _ => drawn.join("\n"),
        }
    }

    fn so_far(&self, totals: &Totals, end: &End) -> String {
        let to_come = self.steps.map(|all| all.saturating_sub(end.steps as usize)).filter(|left| *left > 0);
        let to_come = to_come.map_or_else(String::new, |left| format!("about {left} to come"));
        let kept = format!("{} kept", steps(end.steps));
        let took = clock(end.took_ms) + if totals.simulated { " simulated" } else { "" };
        let facts = [kept, effects(end.effects), to_come, took];
        format!("so far   {}\n{}", self.look.facts(&facts), self.own(totals, end))
    }

    /// What of it this process did, when others were before it.
    fn own(&self, totals: &Totals, end: &End) -> String {
        let Some(own) = end.own else { return String::new() };
        let took = clock(own.took_ms) + if totals.simulated { " simulated" } else { "" };
        format!("resumed  {}\n", self.look.facts(&[steps(own.steps), effects(own.effects), took]))
    }

    fn next(&self, commands: &[String]) -> String {
        next(self.look, commands)
    }
}

/// Whether a run is parked since one of its steps is undone: it can go on from there.
pub fn undone_step(why: &str) -> bool {
    why.strip_prefix("step ").is_some_and(|rest| rest.ends_with(" is undone"))
}

/// The line with the next commands.
pub fn next(look: &Look, commands: &[String]) -> String {
    let inked: Vec<String> = commands.iter().map(|command| look.ink(Ink::Command, command)).collect();
    let width: usize = commands.iter().map(|command| measure(command) + 3).sum();
    let between = if width + 4 <= look.width { look.mark(Mark::Dot).to_owned() } else { "\n      ".to_owned() };
    format!("{}  {}\n", look.ink(Ink::Bold, "next"), inked.join(&between))
}

/// A list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// An output's value for people; a sealed one names the command that reveals it.
pub fn value_text(value: &Value, reveal: &str, look: &Look) -> String {
    match value {
        Value::String(text)
            if text.starts_with("{{secret:") && text.ends_with("}}") && text.matches("{{").count() == 1 =>
        {
            format!("sealed; {}", look.ink(Ink::Command, reveal))
        }
        Value::String(text) => look.shown(text),
        other => look.shown(&other.to_string()),
    }
}

fn time(totals: &Totals, end: &End) -> String {
    if totals.simulated {
        format!("{} (simulated; {} real)", clock(end.took_ms), brief(end.real_ms))
    } else {
        clock(end.took_ms)
    }
}

fn steps(count: u32) -> String {
    plural(count.into(), "step")
}

fn effects(count: u32) -> String {
    plural(count.into(), "effect")
}

fn retries(count: u32) -> String {
    if count == 1 { "1 retry".to_owned() } else { format!("{count} retries") }
}
