#![no_main]

mod seeded;

libfuzzer_sys::fuzz_target!(init: seeded::write("customer"), |data: &[u8]| runbook_fuzz::customer::run(data));
