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
        match &end.ending {
            Ending::Finished => {
                let head = format!("{name} finished in {}", time(totals, end));
                let facts = look.facts(&[steps(end.steps), effects(end.effects), retries(end.retries)]);
                let mut out = format!("{}\n\n", self.headline(Ink::Good, Mark::Done, &head, &facts));
                out += &self.outputs(totals);
                out + &self.next(&["show", "verify", "undo"].map(|verb| self.command(verb, "")))
            }
            Ending::Failed { step, .. } => {
                let at = if step.is_empty() { String::new() } else { format!(" at {}", look.path(step)) };
                let head = format!("{name} stopped{at}. Run {} is kept; nothing is lost.", self.short);
                let body = self.failures(end) + &self.so_far(totals, end);
                let next = [self.command("resume", ""), self.command("undo", ""), self.command("show", "")];
                self.headline(Ink::Bad, Mark::Failed, &head, "") + "\n\n" + &body + "\n" + &self.next(&next)
            }
            Ending::Parked { why } => {
                let head =
                    format!("{name} is parked ({}). Run {} is kept; nothing is lost.", look.shown(why), self.short);
                let next = [self.command("resume", ""), self.command("undo", "")];
                let body = self.failures(end) + &self.so_far(totals, end);
                self.headline(Ink::Warn, Mark::Parked, &head, "") + "\n\n" + &body + "\n" + &self.next(&next)
            }
            Ending::Waiting { step, question } => {
                let head = format!("{name} waits for approval at {}", look.path(step));
                let asked = format!("  {}\n\n", look.shown(question));
                let step = format!(" --step {}", quoted(step));
                let no = format!("{step} --no --why '…'").replace('…', look.mark(Mark::More));
                let next = [self.command("approve", &format!("{step} --yes")), self.command("approve", &no)];
                let body = self.failures(end) + &self.so_far(totals, end);
                self.headline(Ink::Warn, Mark::ToCome, &head, "") + "\n\n" + &asked + &body + "\n" + &self.next(&next)
            }
            Ending::Stopped { step, .. } => {
                let at = if step.is_empty() { String::new() } else { format!(" at {}", look.path(step)) };
                let head = format!("{name} needs a decision{at}. Run {} is kept; nothing is lost.", self.short);
                let next = [self.command("resume", ""), self.command("show", ""), self.command("undo", "")];
                let body = self.failures(end) + &self.so_far(totals, end);
                self.headline(Ink::Bad, Mark::Failed, &head, "") + "\n\n" + &body + "\n" + &self.next(&next)
            }
            Ending::Undone => {
                let (deleted, already, back) = totals.deleted;
                let mut facts = format!("{deleted} deleted, {already} were gone already");
                if back > 0 {
                    facts += &format!(", {back} put back");
                }
                let head = format!("all that run {} made is gone: {facts}, 0 left", self.short);
                let line = self.headline(Ink::Good, Mark::Done, &head, &time(totals, end));
                line + "\n\n"
                    + self.details
                    + &self.next(&[self.command("show", ""), "runbook runs".to_owned() + self.options])
            }
            Ending::Stuck { left, message } => {
                let head = format!("undo waits no longer: {}", look.shown(message));
                let body = self.failures(end) + self.details;
                let left = format!("in all   {} left, kept in the inventory\n", plural(u64::from(*left), "resource"));
                let next = [self.command("undo", ""), self.command("undo", " --also ID"), self.command("verify", "")];
                self.headline(Ink::Bad, Mark::Failed, &head, "") + "\n\n" + &body + &left + "\n" + &self.next(&next)
            }
        }
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
            "" => line,
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
            out += &format!("  {}  {}\n", look.pad(&look.shown(name), width), value_text(value, &command, look));
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
        format!("so far   {}\n", self.look.facts(&facts))
    }

    fn next(&self, commands: &[String]) -> String {
        next(self.look, commands)
    }
}

/// The line with the next commands.
pub fn next(look: &Look, commands: &[String]) -> String {
    let inked: Vec<String> = commands.iter().map(|command| look.ink(Ink::Command, command)).collect();
    let width: usize = commands.iter().map(|command| measure(command) + 3).sum();
    let between = if width + 4 <= look.width { look.mark(Mark::Dot).to_owned() } else { "\n      ".to_owned() };
    format!("{}  {}\n", look.ink(Ink::Bold, "next"), inked.join(&between))
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
