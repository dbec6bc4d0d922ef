#![no_main]

mod seeded;

libfuzzer_sys::fuzz_target!(init: seeded::write("params"), |data: &[u8]| runbook_fuzz::params::run(data));
