#![no_main]

mod seeded;

libfuzzer_sys::fuzz_target!(init: seeded::write("database"), |data: &[u8]| runbook_fuzz::database::run(data));
