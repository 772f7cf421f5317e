#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portway_core::fuzzing::sni_peek(input));
