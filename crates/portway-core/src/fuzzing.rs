//! Checks that are fed invented bytes: by fuzzing, and by an ordinary test that replays what
//! fuzzing kept. No part of the interface.

use rustls::server::Acceptor;

use crate::layer4::peek;

/// What is read from a TLS client's first message: what is decided early is what is decided in
/// the end, and nothing is read that rustls, which would end the TLS, reads differently.
///
/// # Panics
/// When something does not hold.
pub fn sni_peek(input: &[u8]) {
    let found = peek(input);
    for end in [input.len() / 2, input.len().saturating_sub(1), input.len().min(5)] {
        let early = peek(&input[..end]);
        assert!(early == Ok(None) || early == found, "{early:?} after {end} bytes, then {found:?}");
    }
    let Ok(Some(hello)) = found else { return };
    let mut acceptor = Acceptor::default();
    let mut rest = input;
    while !rest.is_empty() {
        match acceptor.read_tls(&mut rest) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // What rustls refuses besides, it would refuse with or without the gateway.
        let Ok(accepted) = acceptor.accept() else { return };
        let Some(accepted) = accepted else { continue };
        let theirs = accepted.client_hello();
        let name = theirs.server_name().map(|name| {
            name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into_boxed_str()
        });
        assert_eq!(hello.name, name);
        let protocols: Vec<Box<[u8]>> =
            theirs.alpn().into_iter().flatten().map(Into::into).collect();
        assert_eq!(hello.protocols.as_slice(), protocols);
        return;
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, panic, path::Path};

    /// A target's name, which is also its corpus' folder, and its check.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 1] = [("sni_peek", super::sni_peek)];

    #[test]
    fn what_was_kept_holds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for (name, check) in TARGETS {
            let mut count = 0;
            for entry in fs::read_dir(root.join(name)).expect("a corpus for each target") {
                let path = entry.expect("a readable folder").path();
                let input = fs::read(&path).expect("a readable input");
                let held = panic::catch_unwind(|| check(&input));
                assert!(held.is_ok(), "{}", path.display());
                count += 1;
            }
            assert!(count >= 20, "{name} has only {count} inputs");
        }
    }
}
