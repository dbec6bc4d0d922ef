#![no_main]

mod seeded;

libfuzzer_sys::fuzz_target!(init: seeded::write("rehearsal"), |data: &[u8]| runbook_fuzz::rehearsal::run(data));
