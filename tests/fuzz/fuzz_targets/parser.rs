#![no_main]

mod seeded;

libfuzzer_sys::fuzz_target!(init: seeded::write("parser"), |data: &[u8]| runbook_fuzz::parser::run(data));
