//! Samples of the trials; the catalogue tries everything. RUNBOOK_TRIALS multiplies the sample.

#![expect(clippy::print_stdout, reason = "the figures of a trial")]

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::{
    harness::Place,
    trials::{
        attacks, audit, between, binaries, canaries, damage, disk, edits, killed, one_shot, power, recall, restored,
        scanner, several, storms, wedges,
    },
};

/// The most memory that a script may come to.
const MOST_KIB: u64 = 256 << 10;

/// How many times the sample.
fn times(sample: u64) -> u64 {
    sample * std::env::var("RUNBOOK_TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Insists that nothing went wrong.
fn good<T>(tried: Result<T, String>) -> T {
    tried.unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn random_edits_are_never_gone_on_with_wrongly() {
    let (mut stopped, mut killed, mut kinds) = (0, 0, BTreeMap::<&str, u32>::new());
    for seed in 0..times(24) {
        let outcome = edits::one(&Place::new, seed).unwrap_or_else(|why| panic!("edit {seed}: {why}"));
        stopped += u32::from(outcome.stopped);
        killed += u32::from(outcome.killed);
        outcome.edits.into_iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
    }
    println!("edited scripts: {}, stopped {stopped}, killed {killed}, wrong resumes 0; {kinds:?}", times(24));
    assert!(stopped > 0, "no edit was a difference");
}

#[test]
fn what_differs_between_crash_and_resume_is_never_accepted_in_silence() {
    let calm = good(between::calm(&Place::new));
    let (mut stopped, mut kept, mut wrong) = (0, 0, Vec::new());
    for (at, change) in between::CHANGES.iter().enumerate() {
        // Each meets another moment.
        let n = 1 + at % (between::CALLS - 1);
        match between::one(&Place::new, &calm, n, change) {
            Ok(between::Taken::Stopped) => stopped += 1,
            Ok(between::Taken::Kept) => kept += 1,
            Err(why) => wrong.push(format!("{}, after call {n}: {why}", change.name)),
        }
    }
    println!("changes between crash and resume: stopped {stopped}, answered out of what was kept {kept}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn runs_of_another_build_go_on_or_stop_with_the_name() {
    let mut wrong = Vec::new();
    for other in binaries::OTHERS {
        if let Err(why) = binaries::one(&Place::new, other) {
            wrong.push(format!("{}: {why}", other.name));
        }
    }
    println!("other builds: {}", binaries::OTHERS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn planted_orphans_are_found_and_nothing_else() {
    let figures = good(audit::one(&Place::new, times(20) as usize));
    let audit::Figures { planted, found, owned, falsely } = figures;
    println!("orphans planted {planted}, found {found}; owned {owned}, falsely called one {falsely}");
    assert_eq!((found, falsely), (planted, 0));
}

#[test]
fn no_secret_is_written_anywhere_in_a_whole_life() {
    let life = good(canaries::life(&Place::new));
    let hits = life.hits();
    println!(
        "{} canaries, {} sinks, {} bytes, hits {}",
        life.canaries(),
        life.sinks.len(),
        life.sinks.bytes(),
        hits.len()
    );
    assert!(hits.is_empty(), "{}", hits.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    assert!(life.canaries() >= 40 && life.sinks.len() > 40);
}

#[test]
fn the_scanner_finds_what_is_planted_where_a_run_writes() {
    let recall = good(recall::one(&Place::new));
    println!("{} canaries planted, missed {}", recall.planted, recall.missed.len());
    assert!(recall.missed.is_empty(), "{:?}", recall.missed);
}

#[test]
fn the_scanner_tells_an_encoding_from_none() {
    let mut sinks = scanner::Sinks::default();
    sinks.add("a text", "nothing of that kind".as_bytes());
    assert!(sinks.hits(&["Cnry-given-7f3a9c0e".to_owned()]).is_empty());
}

#[test]
fn attacks_by_scripts_are_held() {
    let all = attacks::all();
    let sample = times(30) as usize;
    let step = all.len().div_ceil(sample.min(all.len()));
    let (mut peak, mut slowest, mut wrong) = (0, Duration::ZERO, Vec::new());
    // The last one is harmless, and always tried.
    for attack in all.iter().step_by(step).chain(all.last()) {
        match attacks::one(&Place::new, attack) {
            Ok(held) => {
                peak = peak.max(held.peak_kib);
                slowest = slowest.max(held.took);
                if held.peak_kib > MOST_KIB {
                    wrong.push(format!("{}: {} MiB", attack.name, held.peak_kib / 1024));
                }
            }
            Err(why) => wrong.push(why),
        }
    }
    println!("{} attacks, peak {} MiB, slowest {slowest:?}", all.len().div_ceil(step), peak / 1024);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let tried = good(attacks::paths(&Place::new, 0..times(40)));
    println!("{tried} paths, escapes 0");
}

#[test]
fn damage_is_noticed_or_harmless() {
    for log in [false, true] {
        let sound = good(damage::Sound::new(&Place::new, log));
        let (mut noticed, mut earlier) = (0, 0);
        for n in 0..times(300) {
            match good(sound.damaged(n)) {
                damage::Verdict::Noticed => noticed += 1,
                damage::Verdict::Earlier => earlier += 1,
                damage::Verdict::Harmless => {}
            }
        }
        let all = times(300);
        println!("with a log {log}: {all} damages, noticed {noticed}, of the log's end {earlier}, read otherwise 0");
        assert!(noticed > 0);
        assert!(log || earlier == 0, "without a log nothing may be lost in silence");
    }
}

#[test]
fn a_disk_that_refuses_stops_the_run_and_leaves_it_whole() {
    if !good(power::strace()) {
        println!("SKIPPED: strace is not installed");
        return;
    }
    let mut fired = 0;
    let mut all: Vec<disk::Refusal> = disk::KINDS.into_iter().flat_map(|kind| disk::of(kind, 40)).collect();
    all.sort_by_key(|refusal| refusal.nth);
    let step = (all.len() as u64 / times(14)).max(1) as usize;
    for refusal in all.iter().step_by(step) {
        fired += disk::one(&Place::new, refusal).unwrap_or_else(|why| panic!("{}: {why}", refusal.name()));
    }
    println!("refusals fired: {fired}");
    assert!(fired > 0, "no injection fired");
}

#[test]
fn short_writes_stop_the_run_and_leave_it_whole() {
    if !Path::new("/bin/bash").exists() {
        println!("SKIPPED: no bash, whose `ulimit -f` is needed");
        return;
    }
    let mut refused = 0;
    for kib in (4..200).step_by((200 / times(6)).max(1) as usize) {
        refused += u32::from(disk::limited(&Place::new, kib).unwrap_or_else(|why| panic!("{kib} KiB: {why}")));
    }
    println!("runs with short writes: {refused}");
    assert!(refused > 0);
}

#[test]
fn killed_while_it_writes_its_journal_it_goes_on() {
    if !good(power::strace()) {
        println!("SKIPPED: strace is not installed");
        return;
    }
    let (writes, wanted) = good(killed::calm(&Place::new));
    let step = (writes.places.len() / times(12) as usize).max(1);
    let places: Vec<_> = writes.places.iter().step_by(step).collect();
    let one = |write: &killed::Write| {
        killed::one(&Place::new, &wanted, write).unwrap_or_else(|why| panic!("{}: {why}", write.name()))
    };
    let killed = places.into_iter().filter(|write| one(write)).count();
    println!("killed at {killed} of {} calls that change the journal, records lost 0", writes.total);
    assert!(killed > 0, "it never came to the call");
}

#[test]
fn what_was_told_survives_a_power_cut() {
    if !good(power::strace()) {
        println!("SKIPPED: strace is not installed");
        return;
    }
    let log = good(power::record(&Place::new, None));
    for n in 0..times(160) {
        good(power::one(&Place::new, &log, n));
    }
    println!("power cuts: {} over {} places, records lost 0", times(160), log.places());
}

#[test]
fn what_holds_an_undo_is_named_and_the_next_one_ends_it() {
    let all = wedges::all();
    let (mut left, mut longest, mut wrong) = (0, 0.0_f64, Vec::new());
    for wedge in &all {
        match wedge.one(&Place::new) {
            Ok(ended) => {
                left += ended.left;
                longest = longest.max(ended.minutes);
            }
            Err(why) => wrong.push(format!("{}: {why}", wedge.name)),
        }
    }
    println!("{} wedges, {left} leftovers, each named, the longest undo {longest:.1} simulated minutes", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn made_and_undone_again_and_again_no_name_clashes() {
    let count = times(5) as usize;
    good(wedges::cycles(&Place::new, count));
    println!("{count} cycles, clashes 0");
}

#[test]
fn one_access_key_is_alive_and_it_is_the_one_that_is_kept() {
    let moments = good(one_shot::around_calls(&Place::new));
    for moment in &moments {
        one_shot::one(&Place::new, moment).unwrap_or_else(|why| panic!("{}: {why}", moment.1));
    }
    println!("killed at {} moments, keys alive 1 each", moments.len());
}

#[test]
fn five_of_each_are_exactly_there_whoever_made_some_of_them() {
    let calm = good(several::calm(&Place::new));
    let all = several::cases(&calm, Vec::new());
    let step = (all.len() / times(16) as usize).max(1);
    let cases: Vec<_> = all.iter().step_by(step).collect();
    for case in &cases {
        several::one(&Place::new, &calm, case).unwrap_or_else(|why| panic!("{}: {why}", case.name()));
    }
    println!("broken off at {} of {} places, sets that are not exact 0", cases.len(), all.len());
}

#[test]
fn a_journal_older_than_the_world_makes_nothing_twice() {
    let calm = good(restored::calm(&Place::new));
    let (mut same, mut refused) = (0, Vec::new());
    for (at, way) in restored::WAYS.into_iter().enumerate() {
        // Each way meets other moments.
        for n in (1 + at..calm.calls - 2).step_by((12 / times(3)).max(1) as usize) {
            match restored::one(&Place::new, &calm, way, n)
                .unwrap_or_else(|why| panic!("{way:?} after call {n}: {why}"))
            {
                restored::Ended::Same => same += 1,
                restored::Ended::Refused => refused.push((way, n)),
            }
        }
    }
    println!("older journals gone on with: {same}, refused {refused:?}, made twice 0, without an owner 0");
    assert!(same > 0);
}

#[test]
fn who_else_wants_a_run_is_refused() {
    let (mut wanted, mut refused) = (0, 0);
    for (kind, name) in storms::KINDS.iter().enumerate() {
        for seed in 0..times(2) {
            let storm = storms::one(&Place::new, kind, seed).unwrap_or_else(|why| panic!("{name} {seed}: {why}"));
            wanted += storm.processes;
            refused += storm.refused;
        }
    }
    println!("{} storms, {refused} of {wanted} processes refused, overlaps 0", storms::KINDS.len() as u64 * times(2));
    assert!(refused > 0, "no two wanted it at once");
}
