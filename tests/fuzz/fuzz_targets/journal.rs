#![no_main]

mod seeded;

libfuzzer_sys::fuzz_target!(init: seeded::write("journal"), |data: &[u8]| runbook_fuzz::journal::run(data));
